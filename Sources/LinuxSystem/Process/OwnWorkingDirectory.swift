internal import CLinux
public import SystemPackage

/// The working directory of a thread that doesn't share it with others. It belongs to that thread.
public final class OwnWorkingDirectory {
    /// Gives the calling thread one. EPERM: a filter of system calls is in the way.
    public init() throws(Errno) {
        try succeed(slx_own_working_directory())
        leave()
    }

    /// Goes to a directory, which may be O_PATH. EACCES: the thread may not search it.
    public func enter(_ directory: FileDescriptor) throws(Errno) {
        try succeed(slx_fchdir(directory.rawValue))
    }

    /// Goes to the root: the directory's filesystem can be unmounted.
    public func leave() {
        let root: PathRef = "/"
        _ = unsafe slx_chdir(root.base)
    }
}
