internal import CFuse3
internal import Glibc
internal import UnionCore

// A struct flock has a length, and 0 is the rest of the file. A LockRange names its last byte.

extension flock {
    init(_ lock: LockRange) {
        self.init()
        l_type = lock.type
        l_whence = Int16(SEEK_SET)
        l_start = off_t(lock.start)
        l_len = lock.end == .max ? 0 : off_t(lock.end - lock.start + 1)
        l_pid = lock.pid
    }
}

extension LockRange {
    init(_ lock: flock) {
        let start = Int64(lock.l_start)
        let (end, overflow) = start.addingReportingOverflow(Int64(lock.l_len) - 1)
        self.init(
            type: lock.l_type, start: start, end: lock.l_len == 0 || overflow ? .max : end, pid: lock.l_pid)
    }
}
