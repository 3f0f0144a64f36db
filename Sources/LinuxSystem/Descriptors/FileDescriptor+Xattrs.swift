internal import CLinux
public import SystemPackage

// Extended attributes of this very object, which may be O_PATH and of any kind. With `at`, those of an entry
// of this directory; links aren't followed. Sizes are in bytes. An empty buffer asks for the size, and ERANGE
// says that the buffer is too small.
extension FileDescriptor {
    /// Reads an attribute's value. Returns its length. ENODATA: there is no such attribute.
    public func getXattr(
        at entry: PathRef = "", _ name: PathRef, into value: UnsafeMutableRawBufferPointer
    ) throws(Errno) -> Int {
        try unsafe check(slx_getxattr(rawValue, entry.base, name.base, value.baseAddress, value.count))
    }

    /// Sets an attribute. EEXIST, ENODATA: `flags` forbid it.
    public func setXattr(
        at entry: PathRef = "", _ name: PathRef, value: UnsafeRawBufferPointer, flags: XattrFlags = []
    ) throws(Errno) {
        try unsafe succeed(
            slx_setxattr(rawValue, entry.base, name.base, value.baseAddress, value.count, flags.rawValue))
    }

    /// Removes an attribute. ENODATA: there is no such attribute.
    public func removeXattr(at entry: PathRef = "", _ name: PathRef) throws(Errno) {
        try unsafe succeed(slx_removexattr(rawValue, entry.base, name.base))
    }

    /// Lists the names, each with its NUL. Returns the list's length.
    public func listXattrs(
        at entry: PathRef = "", into list: UnsafeMutableRawBufferPointer
    ) throws(Errno) -> Int {
        try unsafe check(slx_listxattr(rawValue, entry.base, list.baseAddress, list.count))
    }
}

/// Flags of setxattr(2); values of <linux/xattr.h>.
public struct XattrFlags: OptionSet, Sendable {
    public let rawValue: Int32

    @inlinable
    public init(rawValue: Int32) { self.rawValue = rawValue }

    public static var create: XattrFlags { XattrFlags(rawValue: 1) }
    public static var replace: XattrFlags { XattrFlags(rawValue: 2) }
}
