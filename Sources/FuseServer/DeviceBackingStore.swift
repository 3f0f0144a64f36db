internal import CFuseShims
internal import LinuxSystem
internal import Synchronization
public import SystemPackage
public import UnionCore

/// Registers real files with the kernel for passthrough, by ioctls on the FUSE device.
///
/// Made before the union that uses it, and connected by the session once passthrough is agreed on. Until
/// then, and where it was not, every file is refused.
public final class DeviceBackingStore: BackingStore {
    private let device = Mutex<FileDescriptor?>(nil)
    private let registered = Atomic<Int>(0)

    public init() {}

    /// Files registered at the moment; they show in no /proc/PID/fd.
    public var count: Int { registered.load(ordering: .relaxed) }

    func connect(_ descriptor: FileDescriptor) {
        device.withLock { $0 = descriptor }
    }

    /// From here on the device's number may be another file's.
    func disconnect() {
        device.withLock { $0 = nil }
    }

    /// EOPNOTSUPP where passthrough was not agreed on; ELOOP for a filesystem stacked too deep; EPERM
    /// without CAP_SYS_ADMIN, so call it with the server's own credentials.
    public func open(_ file: FileDescriptor) throws(Errno) -> Int32 {
        guard let device = device.withLock({ $0 }) else { throw .notSupportedOnSocket }
        let id = try device.registerBacking(file)
        registered.add(1, ordering: .relaxed)
        return id
    }

    public func close(_ id: Int32) {
        guard let device = device.withLock({ $0 }) else { return }
        device.unregisterBacking(id)
        registered.subtract(1, ordering: .relaxed)
    }
}

extension FileDescriptor {
    /// FUSE_DEV_IOC_BACKING_OPEN on a device.
    func registerBacking(_ file: FileDescriptor) throws(Errno) -> Int32 {
        var map = sfs_backing_map(fd: file.rawValue, flags: 0, padding: 0)
        return try unsafe control(SFS_DEVICE_BACKING_OPEN, argument: &map)
    }

    /// FUSE_DEV_IOC_BACKING_CLOSE. It can't fail for an id that was given.
    func unregisterBacking(_ id: Int32) {
        var id = UInt32(bitPattern: id)
        _ = try? unsafe control(SFS_DEVICE_BACKING_CLOSE, argument: &id)
    }

    /// FUSE_DEV_IOC_CLONE: makes this freshly opened device a further one of `device`'s connection.
    func becomeClone(of device: FileDescriptor) throws(Errno) {
        var original = UInt32(bitPattern: device.rawValue)
        try unsafe control(SFS_DEVICE_CLONE, argument: &original)
    }
}
