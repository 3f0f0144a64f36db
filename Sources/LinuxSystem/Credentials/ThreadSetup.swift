internal import CLinux
public import SystemPackage

/// What a thread needs before it acts for callers.
public enum ThreadSetup {
    /// Gives the thread a umask of its own, 0, and a working directory of its own. Without it a
    /// `CredentialScope` changes the umask of all threads. EPERM only in odd sandboxes.
    public static func prepareRequestThread() throws(Errno) {
        _ = ServerCredentials.own
        try succeed(slx_proc_fd())
        try succeed(slx_unshare_fs())
        _ = slx_umask(0)
    }
}
