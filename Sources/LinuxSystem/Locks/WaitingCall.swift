internal import CLinux
internal import SystemPackage

/// The system call that a thread is in, from /proc/TID/syscall.
public enum WaitingCall {
    /// Whether the thread waits in fcntl(2) with F_OFD_SETLKW. False where that can't be seen.
    public static func isForOpenFile(_ thread: Int32) -> Bool {
        guard thread > 0 else { return false }
        let path = threadPath(thread, "syscall")
        let file = unsafe slx_openat(FileDescriptor.workingDirectory.rawValue, path.ref.base, 0, 0)
        guard file >= 0 else { return false }
        defer { slx_close(file) }
        return unsafe withUnsafeTemporaryAllocation(byteCount: 256, alignment: 8) { chunk in
            let count = unsafe slx_read(file, chunk.baseAddress, chunk.count)
            guard count > 0 else { return false }
            return unsafe secondArgument(in: UnsafeRawBufferPointer(rebasing: chunk[..<Int(count)]))
                .elementsEqual(setOpenFileLock)
        }
    }

    /// The line is the call's number and its arguments; fcntl's second one is the command.
    private static func secondArgument(in line: UnsafeRawBufferPointer) -> UnsafeRawBufferPointer.SubSequence
    {
        let words = unsafe line.split(separator: 0x20, maxSplits: 3)
        return unsafe words.count > 2 ? words[2] : line[line.endIndex...]
    }

    /// F_OFD_SETLKW, 38.
    private static let setOpenFileLock = Array("0x26".utf8)
}
