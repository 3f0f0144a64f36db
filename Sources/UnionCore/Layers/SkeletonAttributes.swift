internal import LinuxSystem
internal import SystemPackage

extension Layers {
    /// Gives the skeleton the origin's owner, ACLs and mode, as far as this server may.
    func align(_ skeleton: FileDescriptor, with origin: FileDescriptor, _ status: FileStatus) {
        copyOwnership(of: status, to: skeleton)
        copyACLs(from: origin, to: skeleton)
        try? skeleton.changeMode(status.permissions)
    }

    /// Copies the owner if it may. A server that isn't root makes a directory that is its own user's.
    private func copyOwnership(of status: FileStatus, to skeleton: FileDescriptor) {
        try? skeleton.changeOwner(uid: status.uid, gid: status.gid)
    }

    private func copyACLs(from origin: FileDescriptor, to skeleton: FileDescriptor) {
        for name in ["system.posix_acl_access", "system.posix_acl_default"] as [PathRef] {
            origin.copyXattr(name, to: skeleton)
        }
    }

    /// How many directories a skeleton holds that its origin doesn't: they count in the link number.
    func extraSubdirectories(of skeleton: FileDescriptor, beyond origin: FileDescriptor) -> UInt32 {
        guard let listing = try? skeleton.openBeneath("", flags: [.readOnly, .directory]) else { return 0 }
        var stream = DirectoryStream(reading: listing.descriptor)
        var count: UInt32 = 0
        while let entry = try? stream.next() {
            guard entry.kind == .directory, !entry.name.isDots else { continue }
            if let stands = try? origin.exists(at: entry.name), !stands { count += 1 }
        }
        return count
    }

    /// Whether the skeleton's mode or owner differs from its origin's. Only root can give a directory to
    /// another user: another server must not try at every look.
    func isBehind(_ skeleton: FileStatus, _ origin: FileStatus) -> Bool {
        if skeleton.permissions != origin.permissions { return true }
        return ServerIdentity.uid == 0 && (skeleton.uid != origin.uid || skeleton.gid != origin.gid)
    }

    /// Marks the directory as one that may hold skeletons: where the upper alone backs a directory, listings look for
    /// skeletons only if it is marked so.
    func noteHolder(_ parent: FileDescriptor) throws(Errno) {
        let status = try parent.status()
        if let root = stack.upper?.rootStatus, ObjectIdentity(root, on: nil).matches(status) { return }
        guard !marks(of: "", in: parent).mayHoldSkeletons else { return }
        do {
            try setMark(.holder, "y", on: "", in: parent)
        } catch .notSupported {
            // There are no marks at all, so there are no skeletons to be told from other directories.
        }
    }
}
