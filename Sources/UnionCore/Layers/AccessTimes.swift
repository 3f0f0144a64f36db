internal import LinuxSystem
internal import SystemPackage

// `noatime` and `nodiratime` of a mount, for what the server reads itself. O_NOATIME is the file owner's to ask for, and
// root's: so it is set by the server, after the caller has opened the file.
extension Layers {
    /// Reading the open file doesn't move its access time. Not of others' files where the server isn't root.
    func keepAccessTime(_ file: FileDescriptor) {
        guard let flags = try? file.getFlags() else { return }
        try? file.setFlags(flags.union(.noAccessTime))
    }

    /// The same of a directory that is open to be listed, where the mount says so.
    func keepDirectoryTime(_ directory: FileDescriptor) {
        if policies.accessTimes == .never || policies.noDirectoryAccessTimes { keepAccessTime(directory) }
    }
}
