import Glibc
import LinuxSystem
import SystemPackage
import Testing

/// Where a test's directory lies.
enum Place: CaseIterable, Sendable {
    case disk
    case memory

    fileprivate var base: String {
        switch self {
        case .disk: environment("SWITCHFS_TEST_DIRECTORY") ?? environment("TMPDIR") ?? "/tmp"
        case .memory: "/dev/shm"
        }
    }

    private func environment(_ name: String) -> String? {
        unsafe getenv(name).map { unsafe String(cString: $0) }
    }
}

/// A directory of a test's own, removed with all it holds at the end.
struct TestDirectory: ~Copyable {
    let path: String
    private let owned: OwnedDescriptor
    var root: FileDescriptor { owned.descriptor }

    init(in place: Place) throws(Errno) {
        let name = Random.name(prefix: "layerwatch-")
        path = place.base + "/" + name.string
        let full = OwnedName(path)
        try FileDescriptor.workingDirectory.makeDirectory(at: full.ref, mode: 0o755)
        owned = try FileDescriptor.workingDirectory.openPlain(full.ref, flags: [.readOnly, .directory])
    }

    deinit {
        try? TestDirectory.removeContents(of: root)
        let full = OwnedName(path)
        try? FileDescriptor.workingDirectory.removeDirectory(at: full.ref)
    }

    /// Names first, for removing moves a stream's entries.
    private static func removeContents(of directory: FileDescriptor) throws(Errno) {
        for name in try names(in: directory) {
            let name = OwnedName(name)
            do throws(Errno) {
                try directory.unlink(at: name.ref)
            } catch .isDirectory {
                let child = try directory.openBeneath(
                    name.ref, flags: [.readOnly, .directory, .noFollow])
                try removeContents(of: child.descriptor)
                try directory.removeDirectory(at: name.ref)
            }
        }
    }

    private static func names(in directory: FileDescriptor) throws(Errno) -> [[UInt8]] {
        var stream = DirectoryStream(reading: directory)
        try stream.seek(to: 0)
        var names = [[UInt8]]()
        while let entry = try stream.next() {
            if !entry.name.isDots { unsafe names.append(Array(entry.name.bytes)) }
        }
        return names
    }
}

extension FileDescriptor {
    /// Makes a file, or truncates the one there is.
    func write(_ text: String, to name: PathRef) throws(Errno) {
        let file = try openBeneath(name, flags: [.writeOnly, .create, .truncate], mode: 0o644)
        let bytes = OwnedName(text)
        _ = try unsafe file.descriptor.write(from: bytes.ref.bytes, at: 0)
    }

    func makeDirectory(_ name: PathRef) throws(Errno) { try makeDirectory(at: name, mode: 0o755) }

    func rename(_ name: PathRef, to newName: PathRef, flags: RenameFlags = []) throws(Errno) {
        try FileDescriptor.rename(from: self, name, to: self, newName, flags: flags)
    }

    func link(_ name: PathRef, as newName: PathRef) throws(Errno) {
        let object = try openBeneath(name, flags: [.path, .noFollow])
        try object.descriptor.link(to: self, name: newName)
    }

    func changeMode(of name: PathRef, to mode: UInt32) throws(Errno) {
        let object = try openBeneath(name, flags: [.path, .noFollow])
        try object.descriptor.changeMode(mode)
    }
}

let isRoot = ServerIdentity.uid == 0

/// Leaves out the rest of a test, and says why, when `body` fails with one of the errors.
func orSkip<R>(
    _ errors: Set<Errno>, _ reason: Comment, _ body: () throws(Errno) -> R
) throws -> R {
    do throws(Errno) {
        return try body()
    } catch {
        guard errors.contains(error) else { throw error }
        print("skipped: \(reason)")
        try Test.cancel(reason)
    }
}
