internal import CLinux

/// Whether a thread is about to remove a directory: it waits in rmdir(2), or in a question that rm(1) asks before that. False
/// where /proc doesn't tell.
public func removesDirectory(thread: Int32) -> Bool { slx_thread_removes_directory(thread) != 0 }

/// Whether a thread is in mkdir(2), mknod(2), symlink(2) or link(2). False where /proc doesn't tell.
public func makesName(thread: Int32) -> Bool { slx_thread_makes_name(thread) != 0 }
