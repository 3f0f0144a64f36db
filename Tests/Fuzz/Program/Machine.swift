import CTestCalls
import Glibc

/// What the fuzz program itself asks of the machine.
enum Machine {
    /// Hidden by a filesystem of this process's own: all that requests may touch is in it.
    static let playground = "/dev/shm"

    /// A namespace of mounts in which `playground` is ours alone.
    static func enterPlayground() {
        guard tc_unshare_mounts() == 0,
            unsafe mount(
                "fuzz", playground, "tmpfs", UInt(MS_NOSUID | MS_NODEV), "size=16m,nr_inodes=4096,mode=755")
                == 0
        else {
            fail("the target 'requests' needs root: it works in a mount namespace of its own")
        }
    }

    static var isRoot: Bool { getuid() == 0 }

    static func environment(_ name: String) -> String? {
        unsafe getenv(name).map { unsafe String(cString: $0) }
    }

    static func complain(_ message: String) {
        _ = unsafe (message + "\n").withCString { unsafe Glibc.write(2, $0, strlen($0)) }
    }

    static func exit(_ status: Int32) -> Never { Glibc.exit(status) }

    static func makeDirectory(_ path: String) {
        var place = path.hasPrefix("/") ? "" : "."
        for name in path.split(separator: "/") {
            place += "/" + name
            _ = unsafe mkdir(place, 0o755)
        }
    }

    static func write(_ bytes: [UInt8], to path: String) {
        let file = unsafe open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o644)
        defer { close(file) }
        if unsafe Glibc.write(file, bytes, bytes.count) != bytes.count { fail("cannot write \(path)") }
    }

    static func read(_ path: String) -> [UInt8]? {
        let file = unsafe open(path, O_RDONLY | O_CLOEXEC)
        guard file >= 0 else { return nil }
        defer { close(file) }
        var bytes: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 1 << 16)
        while true {
            let count = unsafe Glibc.read(file, &chunk, chunk.count)
            guard count > 0 else { return bytes }
            bytes += chunk[..<count]
        }
    }

    /// The contents of a directory's files, in the order of their names.
    static func files(in directory: String) -> [[UInt8]] {
        names(in: directory).sorted().compactMap { read("\(directory)/\($0)") }
    }

    static func names(in directory: String) -> [String] {
        guard let stream = unsafe opendir(directory) else { return [] }
        defer { unsafe closedir(stream) }
        var names: [String] = []
        while let entry = unsafe readdir(stream) {
            let name = unsafe withUnsafePointer(to: &entry.pointee.d_name) {
                unsafe $0.withMemoryRebound(to: CChar.self, capacity: 256) { unsafe String(cString: $0) }
            }
            if name != ".", name != ".." { names.append(name) }
        }
        return names
    }

    /// What the open descriptors are, for a finding.
    static var descriptors: [String] {
        names(in: "/proc/self/fd").map { name in
            var target = [UInt8](repeating: 0, count: 256)
            let count = unsafe target.withUnsafeMutableBytes { buffer in
                unsafe tc_readlink(
                    "/proc/self/fd/\(name)", buffer.bindMemory(to: CChar.self).baseAddress, buffer.count)
            }
            return String(decoding: target.prefix(max(count, 0)), as: UTF8.self)
        }
    }

    /// Open descriptors of this process, one for the looking included.
    static var descriptorCount: Int { names(in: "/proc/self/fd").count }
}
