public import LinuxSystem
public import SystemPackage

extension Union {
    /// fallocate(2) on an open file, as the caller; `offset` and `length` in bytes. The errors are those of
    /// the real call.
    public func allocate(
        _ handle: HandleID, mode: Int32, offset: Int64, length: Int64, _ caller: CallerIdentity
    ) throws(Errno) {
        let file = try file(handle)
        try caller.perform(exact: true) { () throws(Errno) in
            try file.descriptor.allocate(mode: mode, offset: offset, length: length)
        }
    }
}
