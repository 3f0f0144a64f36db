internal import LinuxSystem
internal import SystemPackage
internal import UnionCore

/// A mount of the union that nobody else sees, for a while.
///
/// The server lists directories through it. The users' own mount isn't in use by that, so they can unmount it; and
/// what users have mounted inside the union isn't mounted here.
struct MountClone: ~Copyable {
    private let root: OwnedDescriptor

    /// EPERM: there is no CAP_SYS_ADMIN.
    init(of mountPoint: PathRef) throws(Errno) {
        root = try Mounting.clone(at: mountPoint)
    }

    /// The device of the filesystem. The server isn't asked.
    func device() throws(Errno) -> UInt64 {
        try root.descriptor.status(at: "", mask: [], flags: [.emptyPath, .dontSync]).device
    }

    consuming func takeRoot() -> OwnedDescriptor { root }
}
