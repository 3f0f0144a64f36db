public import LinuxSystem
public import SystemPackage

// Requests come here only where the kernel doesn't pass them through.

extension Union {
    /// Reads at `offset`. `flags`: those that the open file has now, if they are known. Returns the number of
    /// bytes, 0 at the end. EBADF: there is no such handle.
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

    /// Writes at `offset`, or at the end if `flags` have O_APPEND. `flags`: those that the open file has now.
    /// Returns the number of bytes.
    ///
    /// Writes as the caller where it matters which process writes. This is so for files of pseudo
    /// filesystems. It is so, too, for files that lose suid, sgid or capabilities by a write of an
    /// unprivileged caller: the real write then sees to that.
    ///
    /// `isFromCache`: the kernel writes back pages that a process had mapped, and the writer isn't known. A
    /// file of a pseudo filesystem takes none (EPERM): without the union it can't be mapped so. Only a
    /// process that waits in msync(2) sees this error.
    public func write(
        _ handle: HandleID, at offset: Int64, from buffer: UnsafeRawBufferPointer, flags: Int32? = nil,
        killPrivileges: Bool, isFromCache: Bool = false, _ caller: CallerIdentity
    ) throws(Errno) -> Int {
        let file = try file(handle)
        if isFromCache && file.node.filesystem.isPseudo { throw .notPermitted }
        // Pages go to their own offsets, whatever flags the file was opened with.
        let flags = isFromCache ? [] : flags.map { OpenFlags(rawValue: $0) } ?? file.flags
        if !isFromCache { file.follow(flags) }
        if let acting = file.acting {
            // A write that fails may have made control files for a moment.
            defer { if let scope = acting.controlScope { reporting.showControls(beside: file.node, scope) } }
            return try unsafe agents.writeActing(file, acting, at: offset, from: buffer, caller)
        }
        guard file.node.filesystem.isPseudo || killPrivileges else {
            return try unsafe file.write(at: offset, from: buffer, appends: flags.contains(.append))
        }
        return try caller.perform(exact: true) { () throws(Errno) in
            try unsafe file.write(at: offset, from: buffer, appends: flags.contains(.append))
        }
    }

    /// A client closes one of its descriptors of the open file. The owner loses its record locks on it.
    /// Throws what the real filesystem says of data that it has held back.
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
    /// Closes a copy. This makes filesystems send what they hold back, and tell of errors.
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
