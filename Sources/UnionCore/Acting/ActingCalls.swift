internal import LinuxSystem
internal import SystemPackage

// Reads and writes of open files of pseudo filesystems. Each is made as the caller that makes it, whether
// that has opened the file or not.

extension Agents {
    func readActing(
        _ file: FileHandle, _ acting: ActingFile, at offset: Int64,
        into buffer: UnsafeMutableRawBufferPointer,
        _ caller: CallerIdentity
    ) throws(Errno) -> Int {
        switch try route(of: acting, acting.reading, caller) {
        case .elsewhere(let agent):
            return try unsafe agent.read(file.descriptor, isStream: file.isStream, at: offset, into: buffer)
        case .here where !acting.mindsReader: return try unsafe file.read(at: offset, into: buffer)
        case .here:
            return try caller.perform(exact: true) { () throws(Errno) in
                try unsafe file.read(at: offset, into: buffer)
            }
        }
    }

    func writeActing(
        _ file: FileHandle, _ acting: ActingFile, at offset: Int64, from buffer: UnsafeRawBufferPointer,
        _ caller: CallerIdentity
    ) throws(Errno) -> Int {
        if case .refusesWriting(let error) = acting.role { throw error }
        let route = try unsafe route(of: acting, acting.writing, always: acting.entered(for: buffer), caller)
        guard case .processList = acting.role, unsafe holdsZero(buffer) else {
            return try unsafe write(file, at: offset, from: buffer, route, caller)
        }
        let text = unsafe replacingZero(in: buffer, by: try number(of: caller, route))
        return try writeWhole(text, for: buffer.count, file, at: offset, route, caller)
    }

    /// Writes the whole of `text`, which stands for `count` bytes of the caller's. Returns `count` if all of
    /// it was written.
    private func writeWhole(
        _ text: [UInt8], for count: Int, _ file: FileHandle, at offset: Int64, _ route: CallRoute,
        _ caller: CallerIdentity
    ) throws(Errno) -> Int {
        let result: Result<Int, Errno> = unsafe text.withUnsafeBytes { bytes in
            do throws(Errno) {
                return .success(try unsafe write(file, at: offset, from: bytes, route, caller))
            } catch {
                return .failure(error)
            }
        }
        return try result.get() == text.count ? count : 0
    }

    private func write(
        _ file: FileHandle, at offset: Int64, from buffer: UnsafeRawBufferPointer, _ route: CallRoute,
        _ caller: CallerIdentity
    ) throws(Errno) -> Int {
        switch route {
        case .elsewhere(let agent):
            return try unsafe agent.write(file.descriptor, isStream: file.isStream, at: offset, from: buffer)
        case .here:
            return try caller.perform(exact: true) { () throws(Errno) in
                try unsafe file.write(at: offset, from: buffer)
            }
        }
    }

    /// The caller's own number where the call is made. It is a thread's, and the kernel finds the process.
    private func number(of caller: CallerIdentity, _ route: CallRoute) throws(Errno) -> Int32 {
        switch route {
        case .here: caller.pid
        case .elsewhere: try innermostNumber(ofThread: caller.pid)
        }
    }
}
