public import LinuxSystem
public import SystemPackage

extension Union {
    /// Copies bytes from one open file to another. Returns the number of bytes copied. EXDEV: the layers'
    /// filesystems can't do it; the kernel then copies.
    public func copyRange(
        from source: HandleID, _ sourceOffset: Int64, to target: HandleID, _ targetOffset: Int64, length: Int,
        _ caller: CallerIdentity
    ) throws(Errno) -> Int {
        let (source, target) = (try file(source), try file(target))
        // After EXDEV the kernel reads and writes instead, so each of these is made as a pseudo filesystem
        // needs it.
        if source.node.filesystem.isPseudo || target.node.filesystem.isPseudo { throw .improperLink }
        return try caller.perform { () throws(Errno) in
            try FileDescriptor.copyRange(
                from: source.descriptor, offset: sourceOffset, to: target.descriptor, offset: targetOffset,
                length: length)
        }
    }
}
