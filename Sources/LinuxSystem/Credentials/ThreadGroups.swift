internal import CLinux
internal import SystemPackage

/// The supplementary groups of the calling thread alone.
enum ThreadGroups {
    /// Needs CAP_SETGID. EINVAL for more than 65536.
    static func set(_ groups: UnsafeBufferPointer<UInt32>) throws(Errno) {
        try unsafe succeed(slx_setgroups(groups.baseAddress, Int32(truncatingIfNeeded: groups.count)))
    }

    static func clear() throws(Errno) {
        try succeed(slx_setgroups(nil, 0))
    }

    /// Takes on those of another thread or process; none when it is gone.
    static func adopt(from pid: Int32) throws(Errno) {
        let few = 128
        let result = unsafe withUnsafeTemporaryAllocation(
            of: UInt32.self, capacity: few
        ) { buffer -> Result<Int, Errno> in
            let count = unsafe supplementaryGroups(of: pid, into: buffer)
            guard count <= few else { return .success(count) }
            do throws(Errno) {
                try unsafe set(UnsafeBufferPointer(rebasing: buffer[..<count]))
                return .success(count)
            } catch {
                return .failure(error)
            }
        }
        let count = try result.get()
        if count > few { try adoptMany(from: pid, count) }
    }

    private static func adoptMany(from pid: Int32, _ capacity: Int) throws(Errno) {
        let buffer = UnsafeMutableBufferPointer<UInt32>.allocate(capacity: capacity)
        defer { unsafe buffer.deallocate() }
        // Should it have joined more groups meanwhile, those are left out.
        let count = unsafe min(supplementaryGroups(of: pid, into: buffer), capacity)
        try unsafe set(UnsafeBufferPointer(rebasing: buffer[..<count]))
    }

    /// What the thread has, for tests.
    static func current() throws(Errno) -> [UInt32] {
        let count = try check(slx_getgroups(nil, 0))
        guard count > 0 else { return [] }
        var groups = [UInt32](repeating: 0, count: Int(count))
        try unsafe succeed(slx_getgroups(&groups, count))
        return groups
    }
}
