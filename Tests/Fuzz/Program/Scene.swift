import CTestCalls
import FuseServer
import Glibc
import LinuxSystem
import SystemPackage
import UnionCore

/// A server over a small union, freshly made: the layers, and what must never be touched or shown.
final class Scene {
    /// How the union is mounted.
    enum Flavour: Int, CaseIterable {
        /// Nothing is kept: directories have handles.
        case check
        /// A lower that is read-only, orphans are hidden, locks are taken on the real files.
        case strict
        /// Everything is kept: directories have no handles.
        case fixed
    }

    let union: Union
    private let server: OfflineServer
    private let replies: Int32

    init(_ flavour: Flavour) {
        let base = "\(Machine.playground)/\(flavour)"
        Layers.make(base)
        replies = Int32(truncatingIfNeeded: tc_memory_file())
        // The server closes its own number.
        let device = FileDescriptor(rawValue: dup(replies))
        guard replies >= 0,
            let union = try? Union(configuration: Self.configuration(flavour, base), backing: nil),
            let server = try? OfflineServer(union: union, replies: device)
        else { fail("cannot make a union below \(base)") }
        self.union = union
        self.server = server
    }

    deinit { close(replies) }

    private static func configuration(_ flavour: Flavour, _ base: String) -> UnionConfiguration {
        let mode: CoherenceMode = flavour == .fixed ? .static : .check
        func layer(_ name: String, readOnly: Bool = false) -> LayerConfiguration {
            LayerConfiguration(path: "\(base)/\(name)", readOnly: readOnly, coherence: mode)
        }
        var configuration = UnionConfiguration(
            layers: [layer("upper"), layer("lower", readOnly: flavour == .strict), layer("second")],
            hasUpper: true, workDirectory: "\(base)/work")
        if flavour == .strict {
            configuration.policies.locks = .through
            configuration.policies.orphans = .hide
            configuration.policies.create = .fallback
        }
        return configuration
    }

    /// All that the server writes for one request.
    func answer(_ request: [UInt8]) -> [UInt8] {
        lseek(replies, 0, SEEK_SET)
        unsafe request.withUnsafeBytes { unsafe server.answer($0) }
        let size = lseek(replies, 0, SEEK_CUR)
        guard size > 0 else { return [] }
        var bytes = [UInt8](repeating: 0, count: size)
        if unsafe pread(replies, &bytes, size, 0) != size { fail("requests: a reply cannot be read back") }
        return bytes
    }
}

/// The directories that a union is made of, and one beside them that it must not reach.
enum Layers {
    /// Stands in what is outside, and in no input: nobody can guess it.
    static let canary: [UInt8] = Array("canary-\(UInt64.random(in: 0...UInt64.max))".utf8)
    private static let outside = "\(Machine.playground)/outside"
    private static let secret = "\(outside)/secret"
    private static let untouched: [Facts] = makeOutside()

    private struct Facts: Equatable {
        let mode: mode_t
        let uid: uid_t
        let gid: gid_t
        let links: nlink_t
        let size: off_t
        let changed: [Int]

        init(_ path: String) {
            var status = stat()
            if unsafe lstat(path, &status) != 0 { fail("requests: \(path) is gone") }
            mode = status.st_mode
            uid = status.st_uid
            gid = status.st_gid
            links = status.st_nlink
            size = status.st_size
            changed = [status.st_ctim.tv_sec, status.st_ctim.tv_nsec]
        }
    }

    private static func makeOutside() -> [Facts] {
        Machine.makeDirectory(outside)
        Machine.write(canary, to: secret)
        Machine.makeDirectory("\(outside)/\(String(decoding: canary, as: UTF8.self))")
        return facts()
    }

    private static func facts() -> [Facts] { [Facts(outside), Facts(secret)] }

    static func checkOutside() {
        if untouched != facts() { fail("requests: something outside the layers was changed") }
    }

    /// Makes the layers below `base` anew.
    static func make(_ base: String) {
        checkOutside()
        remove(base)
        for name in ["upper/both", "lower/both", "lower/dir/deep", "second/both", "second/far", "work"] {
            Machine.makeDirectory("\(base)/\(name)")
        }
        let files = [
            "upper/top", "upper/both/a", "lower/file", "lower/both/b", "lower/dir/inner", "lower/dir/deep/x",
            "second/both/c", "second/far/y", "second/file",
        ]
        for name in files { Machine.write(Array("content of \(name)\n".utf8), to: "\(base)/\(name)") }
        for (name, target) in [
            ("lower/out", "../../outside"), ("lower/both/secret", "../../../outside/secret"),
        ] {
            if unsafe symlink(target, "\(base)/\(name)") != 0 {
                fail("cannot make the symbolic link \(name)")
            }
        }
    }

    private static func remove(_ path: String) {
        let name = OwnedName(path)
        if let directory = try? FileDescriptor.workingDirectory.openPlain(
            name.ref, flags: [.readOnly, .directory])
        {
            empty(directory.descriptor)
        }
        if unsafe rmdir(path) != 0, errno != ENOENT { fail("cannot remove \(path): \(errno)") }
    }

    /// Names are bytes, which a String may not hold.
    private static func empty(_ directory: FileDescriptor) {
        thaw(directory)
        var names: [[UInt8]] = []
        var stream = DirectoryStream(reading: directory)
        while let entry = try? stream.next() {
            if !entry.name.isDots { names.append(unsafe Array(entry.name.bytes)) }
        }
        for bytes in names {
            let name = OwnedName(bytes)
            if (try? directory.unlink(at: name.ref)) != nil { continue }
            if let entry = try? directory.openBeneath(name.ref, flags: [.readOnly, .noFollow, .nonBlocking]) {
                if (try? entry.descriptor.status())?.isDirectory == true { empty(entry.descriptor) }
                thaw(entry.descriptor)
            }
            if (try? directory.unlink(at: name.ref)) == nil { try? directory.removeDirectory(at: name.ref) }
        }
    }

    /// Takes away what makes an object immutable, which requests may have set: FS_IOC_SETFLAGS of <linux/fs.h>.
    private static func thaw(_ object: FileDescriptor) {
        var none = 0
        _ = try? unsafe object.control(0x4008_6602, argument: &none)
    }
}
