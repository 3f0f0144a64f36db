internal import CLinux
public import SystemPackage

/// Going to the background. The parent stays until the child has reported how its start went.
public enum Daemon {
    public enum Role: ~Copyable {
        case parent(StartWaiter)
        case child(StartReporter)
    }

    /// Forks. The child leads a session of its own. To be called only while the process has a single thread.
    public static func beginBackground() throws(Errno) -> Role {
        var ends: (reading: Int32, writing: Int32) = (-1, -1)
        try unsafe succeed(slx_pipe(&ends.reading, &ends.writing))
        let reading = OwnedDescriptor(owning: FileDescriptor(rawValue: ends.reading))
        let writing = OwnedDescriptor(owning: FileDescriptor(rawValue: ends.writing))
        if try check(slx_fork()) > 0 { return .parent(StartWaiter(pipe: reading)) }
        try succeed(slx_setsid())
        return .child(StartReporter(pipe: writing))
    }

    /// Goes to "/", with all threads that share the working directory.
    public static func leaveWorkingDirectory() throws(Errno) {
        let root: PathRef = "/"
        try unsafe succeed(slx_chdir(root.base))
    }

    /// Leaves the working directory and the terminal: standard streams become /dev/null.
    public static func detachFromTerminal() throws(Errno) {
        try leaveWorkingDirectory()
        try succeed(slx_close_standard_streams())
    }
}

/// The parent's side.
public struct StartWaiter: ~Copyable {
    let pipe: OwnedDescriptor

    /// Waits for the child's report. Returns its status, or 1 if the child died without a report.
    public consuming func waitForStatus() -> UInt8 {
        var status: UInt8 = 1
        while true {
            let result = unsafe slx_read(pipe.descriptor.rawValue, &status, 1)
            if result == -Int64(Errno.interrupted.rawValue) { continue }
            return result == 1 ? status : 1
        }
    }
}

/// The child's side.
public struct StartReporter: ~Copyable {
    let pipe: OwnedDescriptor

    /// Reports to the parent, which exits with `status`: 0 for a good start.
    public consuming func report(_ status: UInt8) {
        var status = status
        _ = unsafe slx_write(pipe.descriptor.rawValue, &status, 1)
    }
}
