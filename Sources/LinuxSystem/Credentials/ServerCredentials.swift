internal import CLinux
internal import Glibc

/// The process's own credentials, which threads go back to. Read once: no thread may be acting for anyone
/// at that time, and `ThreadSetup` sees to it.
@safe struct ServerCredentials: @unchecked Sendable {
    // Sendable: never changed once read. Never freed: there is one, for the life of the process.
    let uid: UInt32
    let gid: UInt32
    private let groups: UnsafeMutablePointer<UInt32>?
    private let groupCount: Int32

    static let own = ServerCredentials()

    private init() {
        uid = slx_geteuid()
        gid = slx_getegid()
        let count = slx_getgroups(nil, 0)
        guard count > 0 else {
            unsafe groups = nil
            groupCount = 0
            return
        }
        let buffer = UnsafeMutablePointer<UInt32>.allocate(capacity: Int(count))
        groupCount = unsafe max(slx_getgroups(buffer, count), 0)
        unsafe groups = unsafe buffer
    }

    /// 0 or a negative errno.
    func restoreGroups() -> Int32 { unsafe slx_setgroups(groups, groupCount) }
}
