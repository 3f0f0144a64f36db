public import LinuxSystem
public import SystemPackage

// Only what the kernel doesn't pass through comes here.

extension Union {
    /// Reads at `offset`. `flags` are the open file's now, where they are known. Returns the number of bytes, 0 at the end.
    public func read(
        _ handle: HandleID, at offset: Int64, into buffer: UnsafeMutableRawBufferPointer,
        flags: Int32? = nil, _ caller: CallerIdentity
    ) throws(Errno) -> Int {
        let file = try file(handle)
        if let flags { file.follow(OpenFlags(rawValue: flags)) }
        guard file.node.filesystem.isPseudo else { return try unsafe file.read(at: offset, into: buffer) }
        if let acting = file.acting {
            return try unsafe agents.readActing(file, acting, at: offset, into: buffer, caller)
        }
        return try caller.perform(exact: true) { () throws(Errno) in
            try unsafe file.read(at: offset, into: buffer)
        }
    }

    /// Writes at `offset`, at the end where `flags`, the open file's now, have O_APPEND. Returns the number of bytes.
    ///
    /// As the caller where it matters who writes: files of pseudo filesystems, and files that lose suid, sgid
    /// or capabilities by a write of somebody who isn't privileged, which the real write then sees to.
    ///
    /// `isFromCache`: pages that somebody mapped and the kernel writes back, as nobody knows who. Files of
    /// pseudo filesystems take none: directly they can't be mapped so. EPERM, which nobody sees but who waits
    /// in msync(2).
    public func write(
        _ handle: HandleID, at offset: Int64, from buffer: UnsafeRawBufferPointer, flags: Int32? = nil,
        killPrivileges: Bool, isFromCache: Bool = false, _ caller: CallerIdentity
    ) throws(Errno) -> Int {
        let file = try file(handle)
        if isFromCache && file.node.filesystem.isPseudo { throw .notPermitted }
        // Pages go where they belong, whatever the file that they are written through was opened with.
        let flags = isFromCache ? [] : flags.map { OpenFlags(rawValue: $0) } ?? file.flags
        if !isFromCache { file.follow(flags) }
        if let acting = file.acting {
            return try unsafe agents.writeActing(file, acting, at: offset, from: buffer, caller)
        }
        guard file.node.filesystem.isPseudo || killPrivileges else {
            return try unsafe file.write(at: offset, from: buffer, appends: flags.contains(.append))
        }
        return try caller.perform(exact: true) { () throws(Errno) in
            try unsafe file.write(at: offset, from: buffer, appends: flags.contains(.append))
        }
    }

    /// A client closes one of its descriptors of the open file.
    public func flush(_ handle: HandleID, lockOwner: UInt64) throws(Errno) {
        let file = try file(handle)
        ledger.close(lockOwner, node: file.node.id)
        file.noteClosing()
        guard file.node.filesystem.needsFlush else { return }
        try file.descriptor.flush()
    }
}

extension FileHandle {
    func read(
        at offset: Int64, into buffer: UnsafeMutableRawBufferPointer
    ) throws(Errno) -> Int {
        isStream
            ? try unsafe descriptor.readNext(into: buffer)
            : try unsafe descriptor.read(into: buffer, at: offset)
    }

    @inline(__always)
    func follow(_ flags: OpenFlags) { following.follow(flags, descriptor) }

    func write(
        at offset: Int64, from buffer: UnsafeRawBufferPointer, appends: Bool = false
    ) throws(Errno) -> Int {
        if isStream { return try unsafe descriptor.writeNext(from: buffer) }
        // Files of pseudo filesystems have no end.
        if appends, !node.filesystem.isPseudo {
            do throws(Errno) {
                return try unsafe descriptor.append(from: buffer)
            } catch {
                guard error == .notSupportedOnSocket else { throw error }
            }
        }
        do throws(Errno) {
            return try unsafe descriptor.write(from: buffer, at: offset)
        } catch {
            guard error == .illegalSeek, node.filesystem.isPseudo else { throw error }
            // Sequence files of proc have a position, and write(2) but no pwrite(2).
            if offset != 0 { _ = try? descriptor.seek(to: offset, whence: .start) }
            return try unsafe descriptor.writeNext(from: buffer)
        }
    }
}

extension FileDescriptor {
    /// Closes a copy, which makes filesystems send what they hold back, and tell of errors.
    fileprivate func flush() throws(Errno) {
        let copy = try duplicated()
        try copy.release().closeOnce()
    }

    private func closeOnce() throws(Errno) {
        do {
            try close()
        } catch {
            throw error as? Errno ?? .ioError
        }
    }
}
