public import LinuxSystem
public import SystemPackage

extension Union {
    /// What of `events` (POLLIN, POLLPRI, …) is ready now.
    public func poll(_ handle: HandleID, events: Int16) throws(Errno) -> Int16 {
        try file(handle).descriptor.poll(events: events)
    }

    /// The real file, for somebody who waits on it; nil where it is always ready.
    public func pollDescriptor(of handle: HandleID) throws(Errno) -> OwnedDescriptor? {
        let file = try file(handle)
        guard file.node.filesystem.isPseudo || file.isStream else { return nil }
        return try file.descriptor.duplicated()
    }
}
