internal import LinuxSystem
internal import SystemPackage
internal import UnionCore

/// A mount of the union that nobody else sees, for a while.
///
/// The server lists directories through it. The users' own mount isn't in use by that, so they can unmount it; and
/// what users have mounted inside the union isn't mounted here.
struct MountClone: ~Copyable {
    /// Open for reading: by another descriptor no handle can be opened.
    private let root: OwnedDescriptor

    /// EPERM: there is no CAP_SYS_ADMIN.
    init(of mountPoint: PathRef) throws(Errno) {
        let clone = try Mounting.clone(at: mountPoint)
        root = try clone.descriptor.openPlain(".", flags: [.readOnly, .directory])
    }

    /// The device of the filesystem. The server isn't asked.
    func device() throws(Errno) -> UInt64 {
        try root.descriptor.status(at: "", mask: [], flags: [.emptyPath, .dontSync]).device
    }

    /// Opens a directory that the kernel knows, for reading. ESTALE: the kernel has forgotten it.
    func open(_ directory: NodeID) throws(Errno) -> OwnedDescriptor {
        let handle = FileHandle(fuseNode: directory.rawValue, generation: Entry.generation(of: directory))
        return try root.descriptor.open(handle, flags: [.readOnly, .directory])
    }
}
