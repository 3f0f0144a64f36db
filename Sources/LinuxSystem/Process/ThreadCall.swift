internal import CLinux

/// Whether a thread is about to remove a directory: it waits in rmdir(2), or in a question that rm(1) asks before that. False
/// where /proc doesn't tell.
public func removesDirectory(thread: Int32) -> Bool { slx_thread_removes_directory(thread) != 0 }
