internal import CLinux
internal import SystemPackage

/// The process that a thread belongs to, as /proc tells. If /proc doesn't tell, the thread's own number.
///
/// Every thread has a directory below /proc, though only processes are listed there.
public func processID(ofThread thread: Int32) -> Int32 {
    let path = OwnedName("/proc/\(thread)/status")
    let file = unsafe slx_openat(FileDescriptor.workingDirectory.rawValue, path.ref.base, 0, 0)
    guard file >= 0 else { return thread }
    defer { slx_close(file) }
    return unsafe withUnsafeTemporaryAllocation(byteCount: 1024, alignment: 1) { buffer in
        let count = unsafe slx_read(file, buffer.baseAddress, buffer.count)
        guard count > 0 else { return thread }
        let read = unsafe UnsafeRawBufferPointer(rebasing: buffer[..<Int(count)])
        let text = unsafe String(decoding: read, as: UTF8.self)
        for line in text.split(separator: "\n") where line.hasPrefix("Tgid:") {
            return Int32(line.dropFirst(5).filter(\.isNumber)) ?? thread
        }
        return thread
    }
}
