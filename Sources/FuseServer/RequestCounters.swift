/// How many requests of each kind have come.
public final class RequestCounters: Sendable {
    private let tally = Tally<64>()

    init() {}

    func count(_ opcode: UInt32) { tally.count(opcode) }

    /// Those that have come at all, by the kernel's names ("LOOKUP"), in the order of its numbers.
    public func snapshot() -> [(name: String, count: UInt64)] {
        tally.counts.map { (Opcode.name(UInt32($0.number)), $0.count) }
    }
}

/// The kinds of requests: enum fuse_opcode in Linux 6.18's include/uapi/linux/fuse.h.
enum Opcode {
    static func name(_ opcode: UInt32) -> String {
        let index = Int(opcode)
        guard index < names.count, !names[index].isEmpty else { return "OTHER" }
        return names[index]
    }

    private static let names = [
        "OTHER", "LOOKUP", "FORGET", "GETATTR", "SETATTR", "READLINK", "SYMLINK", "", "MKNOD", "MKDIR",
        "UNLINK", "RMDIR", "RENAME", "LINK", "OPEN", "READ", "WRITE", "STATFS", "RELEASE", "", "FSYNC",
        "SETXATTR", "GETXATTR", "LISTXATTR", "REMOVEXATTR", "FLUSH", "INIT", "OPENDIR", "READDIR",
        "RELEASEDIR", "FSYNCDIR", "GETLK", "SETLK", "SETLKW", "ACCESS", "CREATE", "INTERRUPT", "BMAP",
        "DESTROY", "IOCTL", "POLL", "NOTIFY_REPLY", "BATCH_FORGET", "FALLOCATE", "READDIRPLUS", "RENAME2",
        "LSEEK", "COPY_FILE_RANGE", "SETUPMAPPING", "REMOVEMAPPING", "SYNCFS", "TMPFILE", "STATX",
        "COPY_FILE_RANGE_64",
    ]
}
