internal import CLinux
public import SystemPackage

/// What reading does to access times: mount(8)'s options.
public enum AccessTimes: Sendable, Equatable {
    /// `noatime`
    case never
    /// `relatime`: a read changes an access time that is older than the last change, or a day old.
    case relative
    /// `strictatime`
    case always

    /// MOUNT_ATTR_* of <linux/mount.h>.
    fileprivate var attribute: UInt64 {
        switch self {
        case .never: 0x10
        case .relative: 0
        case .always: 0x20
        }
    }

    fileprivate static let mask: UInt64 = 0x70
}

extension FileDescriptor {
    /// Opens this very object, O_PATH, by a mount of its own. Reads by that mount change access times as
    /// `times` says. EPERM: there is no CAP_SYS_ADMIN. EINVAL: the object's mount can't be cloned, as it was
    /// taken away or is unbindable.
    public func seen(with times: AccessTimes) throws(Errno) -> OwnedDescriptor {
        try OwnedDescriptor(checking: slx_clone_mount(rawValue, times.attribute, AccessTimes.mask))
    }
}
