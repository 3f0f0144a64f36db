internal import CLinux
internal import SystemPackage

/// A thread's user namespace, told apart by the text of its link in /proc: "user:[NUMBER]".
struct UserNamespace: Equatable {
    /// Holds the text's bytes, of which there are fewer: a number has ten digits.
    private var first: (UInt64, UInt64, UInt64, UInt64) = (0, 0, 0, 0)

    /// Reads the link. nil: it can't be seen, or the kernel has no such namespaces.
    init?(of thread: Int32) {
        let path = threadPath(thread, "ns/user")
        let length = unsafe withUnsafeMutableBytes(of: &first) { bytes in
            unsafe slx_readlinkat(
                FileDescriptor.workingDirectory.rawValue, path.ref.base, bytes.baseAddress, bytes.count)
        }
        guard length > 0, length < 32 else { return nil }
    }

    static func == (one: UserNamespace, other: UserNamespace) -> Bool { one.first == other.first }
}
