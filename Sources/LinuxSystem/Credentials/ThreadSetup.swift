internal import CLinux
public import SystemPackage

/// What a thread needs before it acts for callers.
public enum ThreadSetup {
    /// Gives the thread a umask of its own, 0, and a working directory of its own. Unblocks the signal that
    /// interrupts requests. Each thread must call it itself: a thread shares its umask with the threads that
    /// it starts, and they inherit what it blocks.
    public static func prepareRequestThread() throws(Errno) {
        _ = ServerCredentials.own
        try succeed(slx_proc_fd())
        try succeed(slx_unshare_fs())
        // Otherwise it would keep the directory busy in which the program was started.
        try Daemon.leaveWorkingDirectory()
        _ = slx_umask(0)
        try Signals.unblock([.interruptRequest])
    }
}
