internal import CLinux
public import SystemPackage

/// What a thread needs before it acts for callers.
public enum ThreadSetup {
    /// Gives the thread a umask of its own, 0, and a working directory of its own, and lets the signal in
    /// that interrupts requests. Each thread calls it itself: what a thread starts shares its umask, and
    /// inherits what it blocks.
    public static func prepareRequestThread() throws(Errno) {
        _ = ServerCredentials.own
        try succeed(slx_proc_fd())
        try succeed(slx_unshare_fs())
        // It would keep the directory busy that the program was started in.
        try Daemon.leaveWorkingDirectory()
        _ = slx_umask(0)
        try Signals.unblock([.interruptRequest])
    }
}
