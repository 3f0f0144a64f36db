internal import CFuse3
public import LinuxSystem
public import SystemPackage
public import UnionCore

/// Tells the kernel to drop what it keeps. Never from a thread that serves requests, nor under a lock that
/// one of them may wait for: the kernel takes the directory's own lock.
public struct Notifier: KernelCache {
    let session: SessionPointer
    let device: Device

    /// Drops the name, whether it is there or not. ENOENT when the kernel doesn't know the directory or
    /// the name.
    public func dropEntry(_ parent: NodeID, _ name: PathRef) throws(Errno) {
        let result = unsafe fuse_lowlevel_notify_inval_entry(
            session.pointer, parent.rawValue, name.base, name.count)
        if result < 0 { throw Errno(rawValue: -result) }
    }

    /// FUSE_NOTIFY_INC_EPOCH of Linux 6.16's <linux/fuse.h>, which libfuse doesn't know: every name that was
    /// told so far is asked for again. EINVAL from older kernels.
    public func dropAllNames() throws(Errno) {
        // struct fuse_out_header: length, the notification's number for an error, and no request's number.
        let header: [UInt32] = [16, 8, 0, 0]
        _ = try device.descriptor.writeAll(header)
    }

    /// Drops the attributes; with `content` also cached data, of a directory the listing. ENOENT when the
    /// kernel doesn't know the node.
    public func dropNode(_ node: NodeID, content: Bool) throws(Errno) {
        let result = unsafe fuse_lowlevel_notify_inval_inode(
            session.pointer, node.rawValue, content ? 0 : -1, 0)
        if result < 0 { throw Errno(rawValue: -result) }
    }
}

extension FileDescriptor {
    /// One write(2) of the words.
    fileprivate func writeAll(_ words: [UInt32]) throws(Errno) -> Int {
        let result: Result<Int, Errno> = unsafe words.withUnsafeBytes { bytes in
            do throws(Errno) {
                return .success(unsafe try writeNext(from: bytes))
            } catch {
                return .failure(error)
            }
        }
        return try result.get()
    }
}
