public import LinuxSystem
public import SystemPackage

extension Union {
    /// Returns the number of bytes copied. EXDEV where the layers' filesystems can't; the kernel then copies.
    public func copyRange(
        from source: HandleID, _ sourceOffset: Int64, to target: HandleID, _ targetOffset: Int64, length: Int,
        _ caller: CallerIdentity
    ) throws(Errno) -> Int {
        let (source, target) = (try file(source), try file(target))
        // The kernel then reads and writes instead, and so each is made as it must be.
        if source.node.filesystem.isPseudo || target.node.filesystem.isPseudo { throw .improperLink }
        return try caller.perform { () throws(Errno) in
            try FileDescriptor.copyRange(
                from: source.descriptor, offset: sourceOffset, to: target.descriptor, offset: targetOffset,
                length: length)
        }
    }
}
