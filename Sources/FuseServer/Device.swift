internal import LinuxSystem
internal import SystemPackage

/// The FUSE device of a mount's connection. Other threads read from clones of it.
final class Device: Sendable {
    private let owned: OwnedDescriptor
    /// Valid as long as the session.
    var descriptor: FileDescriptor { owned.descriptor }

    init(_ owned: consuming OwnedDescriptor) {
        self.owned = owned
    }

    /// A device of the same connection with a queue of its own; nil where the kernel or a sandbox refuses.
    func clone() -> Device? {
        do throws(Errno) {
            let clone = try FuseDevice.open()
            try clone.descriptor.becomeClone(of: descriptor)
            return Device(clone)
        } catch {
            return nil
        }
    }

    /// A second number of the same device, for libfuse to own.
    func duplicate() throws(Errno) -> OwnedDescriptor {
        try owned.duplicate()
    }
}
