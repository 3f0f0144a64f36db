internal import LinuxSystem
internal import SystemPackage

// How whiteouts are recognised, made and lifted.
//
// A new one is a character device 0:0 if the upper may have one. Otherwise it is an empty file with
// overlayfs's whiteout attribute, in a directory that says so. On bpffs, which has neither, it is a symbolic
// link with a target that no program uses.

/// The target of a symbolic link that is a whiteout, on filesystems that can hold no other.
private var linkWhiteoutTarget: PathRef { "switchfs:whiteout" }

extension Layers {
    /// Whether what stands under the name is a whiteout that isn't a device.
    func isOtherWhiteout(
        _ name: PathRef, _ status: FileStatus, in backing: Backing
    ) -> Bool {
        if status.isSymlink {
            return backing.layer.filesystem.type == .bpf && isLinkWhiteout(name, in: backing.directory)
        }
        return status.isRegular && backing.marks?.contains(.attributeWhiteouts) != false
            && backing.directory.hasWhiteoutAttribute(at: name)
            && backing.directory.marks(at: "").contains(.attributeWhiteouts)
    }

    func isLinkWhiteout(_ name: PathRef, in directory: FileDescriptor) -> Bool {
        directory.isLink(name, to: linkWhiteoutTarget)
    }

    /// Whether an OCI layer hides the name in the layers below it.
    func isOCIWhiteout(_ name: PathRef, in directory: FileDescriptor) -> Bool {
        guard name.count + OCIName.whiteoutPrefix.count <= longestName else { return false }
        return name.withPrefix(OCIName.whiteoutPrefix) { (try? directory.exists(at: $0)) ?? false }
    }

    func isOCIOpaque(_ name: PathRef, in directory: FileDescriptor) -> Bool {
        var path = PathBuffer()
        path.append(name)
        path.append(OCIName.opaque)
        return (try? directory.exists(at: path.ref)) ?? false
    }

    /// Makes a whiteout of that name, which must be free, in a directory of the upper.
    func makeWhiteout(_ name: PathRef, in directory: FileDescriptor) throws(Errno) {
        do {
            return try directory.makeNode(at: name, mode: FileKind.characterDevice.modeBits, device: 0)
        } catch .notPermitted, .invalidArgument, .permissionDenied, .notSupported, .noSuchAddressOrDevice {
            // The filesystem takes no such devices: try the next kind.
        }
        do {
            return try makeAttributeWhiteout(name, in: directory)
        } catch .notPermitted, .notSupported, .permissionDenied, .invalidArgument {
            try directory.makeSymlink(at: name, target: linkWhiteoutTarget)
        }
    }

    private func makeAttributeWhiteout(_ name: PathRef, in directory: FileDescriptor) throws(Errno) {
        try directory.makeNode(at: name, mode: FileKind.regular.modeBits, device: 0)
        do {
            try setMarkAttribute(at: name, in: directory, MarkName.whiteout, MarkName.userWhiteout, "y")
            try allowAttributeWhiteouts(in: directory)
        } catch {
            try? directory.unlink(at: name)
            throw error
        }
    }

    private func allowAttributeWhiteouts(in directory: FileDescriptor) throws(Errno) {
        guard !directory.marks(at: "").contains(.attributeWhiteouts) else { return }
        try setMarkAttribute(at: "", in: directory, MarkName.opaque, MarkName.userOpaque, "x")
    }

    /// Sets a mark by a trusted attribute, or by a user attribute if the server isn't privileged.
    func setMarkAttribute(
        at name: PathRef, in directory: FileDescriptor, _ trusted: PathRef, _ user: PathRef, _ value: PathRef
    ) throws(Errno) {
        do {
            try directory.setXattr(at: name, trusted, to: value)
        } catch .notPermitted, .notSupported {
            try directory.setXattr(at: name, user, to: value)
        }
    }

    /// Makes a whiteout in the work area, to be put in that directory of the upper. The caller must discard
    /// it.
    func stageWhiteout(_ staged: PathRef, for upper: FileDescriptor) throws(Errno) {
        let staging = try work.directory()
        try makeWhiteout(staged, in: staging)
        if try staging.status(at: staged).isRegular { try allowAttributeWhiteouts(in: upper) }
    }
}
