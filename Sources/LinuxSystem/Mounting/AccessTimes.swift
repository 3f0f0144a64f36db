internal import CLinux
public import SystemPackage

/// What reading does to access times: mount(8)'s options.
public enum AccessTimes: Sendable, Equatable {
    /// `noatime`
    case never
    /// `relatime`: where it is older than the last change, or a day old.
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
    /// The same object, O_PATH, by a mount of one's own: what is read by it does to access times what `times` says. EPERM
    /// without CAP_SYS_ADMIN; EINVAL where its mount can't be cloned, as it was taken away or is unbindable.
    public func seen(with times: AccessTimes) throws(Errno) -> OwnedDescriptor {
        try OwnedDescriptor(checking: slx_clone_mount(rawValue, times.attribute, AccessTimes.mask))
    }
}
