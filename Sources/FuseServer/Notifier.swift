internal import CFuse3
public import LinuxSystem
public import SystemPackage
public import UnionCore

/// Tells the kernel to drop what it keeps. But for attributes alone, never from a thread that serves requests, nor under a lock
/// that one of them may wait for: the kernel takes the directory's own lock.
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

    /// FUSE_NOTIFY_INVAL_ENTRY with FUSE_EXPIRE_ONLY of Linux 6.2's <linux/fuse.h>, which libfuse 3.14 doesn't know. An
    /// older kernel drops the name.
    public func expireEntry(_ parent: NodeID, _ name: PathRef) throws(Errno) {
        let message = ExpireMessage(parent: parent, name.array)
        _ = try device.descriptor.writeNext(message.bytes[...])
    }

    /// Drops the attributes; with `content` also cached data, of a directory the listing. ENOENT when the
    /// kernel doesn't know the node.
    public func dropNode(_ node: NodeID, content: Bool) throws(Errno) {
        let result = unsafe fuse_lowlevel_notify_inval_inode(
            session.pointer, node.rawValue, content ? 0 : -1, 0)
        if result < 0 { throw Errno(rawValue: -result) }
    }
}

/// A notification as it goes to the device.
private struct ExpireMessage {
    private(set) var bytes: [UInt8] = []

    init(parent: NodeID, _ name: [UInt8]) {
        // struct fuse_out_header: length, the notification's number for an error, and no request's number.
        add(UInt32(truncatingIfNeeded: 16 + 16 + name.count + 1))
        add(UInt32(3))
        add(UInt64(0))
        // struct fuse_notify_inval_entry_out: the directory, the name's length, and flags: FUSE_EXPIRE_ONLY.
        add(parent.rawValue)
        add(UInt32(truncatingIfNeeded: name.count))
        add(UInt32(1))
        bytes += name + [0]
    }

    private mutating func add(_ value: some FixedWidthInteger) {
        for shift in stride(from: 0, to: value.bitWidth, by: 8) {
            bytes.append(UInt8(truncatingIfNeeded: value >> shift))
        }
    }
}
