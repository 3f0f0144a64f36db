internal import LinuxSystem
internal import SystemPackage

// `noatime` and `nodiratime` of a mount, for what the server itself reads. Only the file's owner and root may
// ask for O_NOATIME. So the server sets it after the caller has opened the file.
extension Layers {
    /// Lets reads of the open file leave its access time. It doesn't do so on others' files if the server
    /// isn't root.
    func keepAccessTime(_ file: FileDescriptor) {
        guard let flags = try? file.getFlags() else { return }
        try? file.setFlags(flags.union(.noAccessTime))
    }

    /// Lets the listing of an open directory leave its access time, if the mount says so.
    func keepDirectoryTime(_ directory: FileDescriptor) {
        if policies.accessTimes == .never || policies.noDirectoryAccessTimes { keepAccessTime(directory) }
    }
}
