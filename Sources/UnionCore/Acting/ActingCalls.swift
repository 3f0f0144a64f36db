internal import LinuxSystem
internal import SystemPackage

// Reads and writes of open files of pseudo filesystems: each is made as its maker, be it the opener or not.

extension Agents {
    func readActing(
        _ file: FileHandle, _ acting: ActingFile, at offset: Int64,
        into buffer: UnsafeMutableRawBufferPointer,
        _ caller: CallerIdentity
    ) throws(Errno) -> Int {
        switch try place(of: acting, acting.reading, caller) {
        case .elsewhere(let agent):
            return try unsafe agent.read(file.descriptor, isStream: file.isStream, at: offset, into: buffer)
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
        let place = try unsafe place(of: acting, acting.writing, always: acting.entered(for: buffer), caller)
        guard case .processList = acting.role, unsafe holdsZero(buffer) else {
            return try unsafe write(file, at: offset, from: buffer, place, caller)
        }
        let text = unsafe replacingZero(in: buffer, by: try number(of: caller, place))
        return try writeWhole(text, for: buffer.count, file, at: offset, place, caller)
    }

    /// Returns `count` where all of `text`, which stands for so many bytes, was written.
    private func writeWhole(
        _ text: [UInt8], for count: Int, _ file: FileHandle, at offset: Int64, _ place: CallPlace,
        _ caller: CallerIdentity
    ) throws(Errno) -> Int {
        let result: Result<Int, Errno> = unsafe text.withUnsafeBytes { bytes in
            do throws(Errno) {
                return .success(try unsafe write(file, at: offset, from: bytes, place, caller))
            } catch {
                return .failure(error)
            }
        }
        return try result.get() == text.count ? count : 0
    }

    private func write(
        _ file: FileHandle, at offset: Int64, from buffer: UnsafeRawBufferPointer, _ place: CallPlace,
        _ caller: CallerIdentity
    ) throws(Errno) -> Int {
        switch place {
        case .elsewhere(let agent):
            return try unsafe agent.write(file.descriptor, isStream: file.isStream, at: offset, from: buffer)
        case .here:
            return try caller.perform(exact: true) { () throws(Errno) in
                try unsafe file.write(at: offset, from: buffer)
            }
        }
    }

    /// The caller's own number where the call is made: a thread's, of which the kernel finds the process.
    private func number(of caller: CallerIdentity, _ place: CallPlace) throws(Errno) -> Int32 {
        switch place {
        case .here: caller.pid
        case .elsewhere: try innermostNumber(ofThread: caller.pid)
        }
    }
}
