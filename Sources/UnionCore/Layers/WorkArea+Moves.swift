internal import LinuxSystem
internal import SystemPackage

extension Layers {
    /// Moves a directory to a name that is free.
    func putInPlace(
        _ temporary: PathRef, from staging: FileDescriptor, _ name: PathRef, in parent: FileDescriptor
    ) throws(Errno) {
        do {
            try FileDescriptor.rename(from: staging, temporary, to: parent, name, flags: .noReplace)
        } catch .invalidArgument {
            // The filesystem doesn't have RENAME_NOREPLACE. Here rename(2) replaces an empty directory.
            try FileDescriptor.rename(from: staging, temporary, to: parent, name)
        }
    }
}
