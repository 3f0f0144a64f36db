internal import CLinux

// What a thread's system call is for, from /proc/TID/syscall, which says more than FUSE. False if it doesn't
// tell.

/// Whether a thread is about to remove a directory: it waits in rmdir(2), or in a call by which rm(1) asks
/// before that.
public func removesDirectory(thread: Int32) -> Bool { slx_thread_removes_directory(thread) != 0 }

/// Whether a thread is in mkdir(2), mknod(2), symlink(2) or link(2).
public func makesName(thread: Int32) -> Bool { slx_thread_makes_name(thread) != 0 }

/// Whether a thread waits for a lock of an open file: fcntl(2) with F_OFD_SETLKW.
public func waitsForOpenFileLock(thread: Int32) -> Bool { slx_thread_waits_for_open_file_lock(thread) != 0 }
