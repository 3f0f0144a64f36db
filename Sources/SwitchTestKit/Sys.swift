import CTestCalls
import Glibc
public import SystemPackage

/// System calls on paths, raw: one call each, its own error.
public enum Sys {
    /// For a time that is to be set: that of the call.
    public static let now = Int64.max
    /// For a time that is to stay.
    public static let omit = Int64.min

    /// stat(2), or lstat(2) unless links are to be followed.
    public static func facts(_ path: TestPath, follow: Bool = false) throws(Errno) -> FileFacts {
        var raw = tc_status()
        try path.call {
            unsafe tc_stat(Flag.currentDirectory, $0, follow ? 0 : Flag.doNotFollow, &raw)
        }
        return FileFacts(raw)
    }

    public static func exists(_ path: TestPath) -> Bool {
        (try? facts(path)) != nil
    }

    public static func fileSystem(_ path: TestPath) throws(Errno) -> FileSystemFacts {
        var raw = tc_fs_status()
        try path.call { unsafe tc_statfs($0, &raw) }
        return FileSystemFacts(
            type: raw.type, blockSize: raw.block_size, blocks: raw.blocks, files: raw.files,
            nameLength: raw.name_length)
    }

    public static func open(
        _ path: TestPath, _ flags: Int32 = Flag.readOnly, mode: UInt32 = 0o644
    ) throws(Errno) -> Handle {
        let fd = try path.call {
            unsafe tc_open(Flag.currentDirectory, $0, flags | Flag.closeOnExec, mode)
        }
        return Handle(owning: Int32(fd))
    }

    public static func makeDirectory(_ path: TestPath, mode: UInt32 = 0o755) throws(Errno) {
        try path.call { unsafe tc_mkdir(Flag.currentDirectory, $0, mode) }
    }

    public static func makeNode(
        _ path: TestPath, mode: UInt32, major: UInt32 = 0, minor: UInt32 = 0
    ) throws(Errno) {
        try path.call { unsafe tc_mknod(Flag.currentDirectory, $0, mode, major, minor) }
    }

    public static func makeFifo(_ path: TestPath, mode: UInt32 = 0o644) throws(Errno) {
        try makeNode(path, mode: S_IFIFO | mode)
    }

    public static func makeSymlink(_ path: TestPath, to target: TestPath) throws(Errno) {
        try twoPaths(target, path) { unsafe tc_symlink($0, $1) }
    }

    public static func link(_ old: TestPath, _ new: TestPath, follow: Bool = false) throws(Errno) {
        try twoPaths(old, new) {
            unsafe tc_link(Flag.currentDirectory, $0, $1, follow ? Flag.followLink : 0)
        }
    }

    public static func unlink(_ path: TestPath) throws(Errno) {
        try path.call { unsafe tc_unlink(Flag.currentDirectory, $0, 0) }
    }

    public static func removeDirectory(_ path: TestPath) throws(Errno) {
        try path.call { unsafe tc_unlink(Flag.currentDirectory, $0, Flag.removeDirectory) }
    }

    public static func rename(_ old: TestPath, _ new: TestPath, flags: UInt32 = 0) throws(Errno) {
        try twoPaths(old, new) { unsafe tc_rename($0, $1, flags) }
    }

    public static func readLink(_ path: TestPath) throws(Errno) -> TestPath {
        var buffer = [CChar](repeating: 0, count: 4096)
        let count = try path.call { path in unsafe tc_readlink(path, &buffer, 4096) }
        return TestPath(bytes: buffer.prefix(count).map { UInt8(bitPattern: $0) })
    }

    public static func changeMode(_ path: TestPath, _ mode: UInt32) throws(Errno) {
        try path.call { unsafe tc_chmod($0, mode) }
    }

    /// `UInt32.max` leaves an id alone.
    public static func changeOwner(
        _ path: TestPath, uid: UInt32 = .max, gid: UInt32 = .max, follow: Bool = false
    ) throws(Errno) {
        try path.call { unsafe tc_chown($0, uid, gid, follow ? 0 : Flag.doNotFollow) }
    }

    /// Times in nanoseconds, or `Sys.now`, or `Sys.omit`.
    public static func changeTimes(
        _ path: TestPath, accessed: Int64 = omit, modified: Int64 = omit, follow: Bool = false
    ) throws(Errno) {
        try path.call { unsafe tc_utimens($0, accessed, modified, follow ? 0 : Flag.doNotFollow) }
    }

    public static func truncate(_ path: TestPath, to size: Int64) throws(Errno) {
        try path.call { unsafe tc_truncate($0, size) }
    }

    /// As the effective user: `R_OK`, `W_OK`, `X_OK`, `F_OK`.
    public static func access(_ path: TestPath, _ mode: Int32) throws(Errno) {
        try path.call { unsafe tc_access($0, mode) }
    }

    /// Runs the program as the calling thread's user; its exit code.
    public static func execute(_ path: TestPath) throws(Errno) -> Int {
        try path.call { unsafe tc_execute($0) }
    }

    public static func mount(
        _ source: String, on path: TestPath, type: String, flags: UInt = 0, options: String = ""
    ) throws(Errno) {
        try path.call { unsafe tc_mount(source, $0, type, flags, options) }
    }

    /// `lazily` detaches even when the mount is in use.
    public static func unmount(_ path: TestPath, lazily: Bool = false) throws(Errno) {
        try path.call { unsafe tc_umount($0, lazily ? detach : 0) }
    }

    /// Unmounts as soon as nothing uses the mount; false: something still did at the deadline. A file that is closed
    /// here may be in use for a moment: a child that another thread has just forked holds it until it runs its program.
    public static func unmountOnceFree(_ path: TestPath, within seconds: Double = 60) throws(Errno) -> Bool {
        let deadline = Deadline(seconds)
        while true {
            do throws(Errno) {
                try unmount(path)
                return true
            } catch {
                if error != .resourceBusy { throw error }
                if deadline.passed { return false }
                takeBreath()
            }
        }
    }

    public static func changeDirectory(_ path: TestPath) throws(Errno) {
        try path.call { unsafe tc_chdir($0) }
    }

    private static let detach: Int32 = 2

    @safe private static func twoPaths(
        _ old: TestPath, _ new: TestPath,
        _ body: (UnsafePointer<CChar>, UnsafePointer<CChar>) -> Int
    ) throws(Errno) {
        try old.call { old in
            do throws(Errno) {
                return try new.call { new in unsafe body(old, new) }
            } catch {
                return -Int(error.rawValue)
            }
        }
    }
}
