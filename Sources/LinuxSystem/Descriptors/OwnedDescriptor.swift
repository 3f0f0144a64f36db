internal import CLinux
public import SystemPackage

/// A descriptor that is closed at the end of its owner's life. Errors of close(2) are ignored: Linux frees
/// the descriptor in any case.
///
/// Give it a name before you use it. Without one the value ends as soon as the number is taken out of it: a read
/// right after the call that opens would come after the close.
public struct OwnedDescriptor: ~Copyable, Sendable {
    /// The descriptor itself, borrowed. Not to be used after this value's end.
    public let descriptor: FileDescriptor

    @inlinable
    public init(owning descriptor: FileDescriptor) {
        self.descriptor = descriptor
    }

    init(checking result: Int32) throws(Errno) {
        descriptor = FileDescriptor(rawValue: try check(result))
    }

    deinit { slx_close(descriptor.rawValue) }

    /// Gives the descriptor away, without closing it.
    public consuming func release() -> FileDescriptor {
        let descriptor = self.descriptor
        discard self
        return descriptor
    }

    /// Makes a second descriptor of this open file.
    public borrowing func duplicate() throws(Errno) -> OwnedDescriptor {
        try OwnedDescriptor(checking: slx_dup(descriptor.rawValue))
    }
}
