public import LinuxSystem
public import SystemPackage

extension Union {
    /// Returns which of `events` (POLLIN, POLLPRI, …) are ready now. EBADF: there is no such handle.
    public func poll(_ handle: HandleID, events: Int16) throws(Errno) -> Int16 {
        let file = try file(handle)
        return try file.descriptor.poll(events: events)
    }

    /// A descriptor of the real file to wait on. nil: the file is always ready.
    public func pollDescriptor(of handle: HandleID) throws(Errno) -> OwnedDescriptor? {
        let file = try file(handle)
        guard file.node.filesystem.isPseudo || file.isStream else { return nil }
        return try file.descriptor.duplicated()
    }
}
