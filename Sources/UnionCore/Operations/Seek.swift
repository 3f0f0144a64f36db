internal import LinuxSystem
public import SystemPackage

extension Union {
    /// lseek(2) with SEEK_DATA and SEEK_HOLE. The kernel keeps the position itself. EINVAL: `whence` is
    /// unknown. ENXIO: there is no such part.
    public func seek(_ handle: HandleID, offset: Int64, whence: Int32) throws(Errno) -> Int64 {
        guard let origin = SeekWhence(rawValue: whence) else { throw .invalidArgument }
        let file = try file(handle)
        return try file.descriptor.seek(to: offset, whence: origin)
    }
}
