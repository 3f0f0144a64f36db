internal import CLinux
internal import SystemPackage

/// The supplementary groups of the calling thread alone.
enum ThreadGroups {
    /// Sets the groups. It needs CAP_SETGID. EINVAL: there are more than 65536.
    static func set(_ groups: [UInt32]) throws(Errno) {
        try unsafe succeed(slx_setgroups(groups, Int32(truncatingIfNeeded: groups.count)))
    }

    /// The groups that the thread has, for tests.
    static func current() throws(Errno) -> [UInt32] {
        let count = try check(slx_getgroups(nil, 0))
        guard count > 0 else { return [] }
        var groups = [UInt32](repeating: 0, count: Int(count))
        try unsafe succeed(slx_getgroups(&groups, count))
        return groups
    }
}
