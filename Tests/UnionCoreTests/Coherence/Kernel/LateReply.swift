import LinuxSystem
import SystemPackage
import UnionCore

/// A reply that was computed and sent, and that the kernel hasn't taken in yet. Until it arrives the kernel holds the
/// locks that the request was made under.
struct LateReply<Value> {
    private let install: () throws(Errno) -> Value

    init(_ install: @escaping () throws(Errno) -> Value) { self.install = install }

    /// The kernel takes it in. Once.
    @discardableResult
    func arrive() throws(Errno) -> Value { try install() }
}
