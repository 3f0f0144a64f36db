public import LinuxSystem
public import SystemPackage

/// The file by which a server and the kernel talk.
public enum FuseDevice {
    static let path = "/dev/fuse"
    /// Of the FUSE device in every Linux: include/linux/miscdevice.h.
    private static let (major, minor): (UInt32, UInt32) = (10, 229)

    /// Opens it. ENODEV: what stands there is something else.
    public static func open() throws(Errno) -> OwnedDescriptor {
        // Only looked at first: to open another device may do things.
        let found = try FileDescriptor.workingDirectory.openPlain("/dev/fuse", flags: .path)
        guard isDevice(try found.descriptor.status()) else { throw .operationNotSupportedByDevice }
        return try FileDescriptor.workingDirectory.openPlain("/dev/fuse", flags: .readWrite)
    }

    /// Why it couldn't be opened, and what to do, in one line.
    public static func explain(_ error: Errno) -> String {
        switch error {
        case .noSuchFileOrDirectory:
            return "\(path) is missing: load the module (modprobe fuse); a container must be given the device"
        case .operationNotSupportedByDevice, .noSuchAddressOrDevice:
            guard let other else { return "\(path) has no driver: load the module (modprobe fuse)" }
            return "\(path) is \(other), not the FUSE device: make it anew: rm \(path); "
                + "mknod -m 666 \(path) c \(major) \(minor)"
        case .permissionDenied:
            return "this user may not read and write \(path): chmod 666 \(path), as root"
        case .notPermitted:
            return
                "\(path) may not be opened here: the container or cgroup must be allowed the device c 10:229"
        default: return "cannot open \(path): \(error)"
        }
    }

    /// What stands there instead; nil: the device itself.
    static var other: String? {
        guard let found = try? FileDescriptor.workingDirectory.openPlain("/dev/fuse", flags: .path),
            let status = try? found.descriptor.status(), !isDevice(status)
        else { return nil }
        switch status.kind {
        case .characterDevice: return "character device \(status.specialMajor):\(status.specialMinor)"
        case .blockDevice: return "block device \(status.specialMajor):\(status.specialMinor)"
        case .regular: return "a regular file"
        case .directory: return "a directory"
        case .fifo: return "a fifo"
        case .socket: return "a socket"
        case .symlink: return "a symbolic link"
        }
    }

    private static func isDevice(_ status: FileStatus) -> Bool {
        status.kind == .characterDevice && status.specialMajor == major && status.specialMinor == minor
    }
}
