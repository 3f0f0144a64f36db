internal import LinuxSystem
internal import SystemPackage

extension Layers {
    /// Whether the union doesn't show an entry that a real directory lists: a whiteout, a mark, an empty
    /// orphan.
    func isHidden(_ entry: DirectoryEntry, _ source: ListingSource, _ directory: FileDescriptor) -> Bool {
        let layer = source.layer
        if layer.isOCI && entry.name.hasPrefix(OCIName.whiteoutPrefix) { return true }
        if layer.isUpper && source.isRoot && work.isReserved(entry.name) { return true }
        switch entry.kind {
        case .characterDevice, nil:
            return (try? directory.status(at: entry.name))?.isWhiteoutDevice == true
        case .regular where source.marks.contains(.attributeWhiteouts):
            guard let status = try? directory.status(at: entry.name), status.size == 0 else { return false }
            return directory.hasWhiteoutAttribute(at: entry.name)
        case .symlink where layer.filesystem.type == .bpf:
            return isLinkWhiteout(entry.name, in: directory)
        default:
            return false
        }
    }

    /// Whether the entry is the union's own, which no client sees: the work area in the upper's root.
    func isReserved(_ name: PathRef, in backing: Backing) -> Bool {
        backing.layer.isUpper && backing.isRoot && work.isReserved(name)
    }

    /// Whether the union doesn't show an entry of a directory that one layer alone backs. A skeleton there
    /// has no origin.
    func isHiddenAlone(
        _ entry: DirectoryEntry, _ source: ListingSource, _ directory: FileDescriptor
    ) -> Bool {
        if entry.name.isDots { return false }
        if isHidden(entry, source, directory) { return true }
        guard source.mayHoldSkeletons, entry.kind == .directory, isSkeleton(entry.name, in: directory) else {
            return false
        }
        return policies.orphans == .hide || !hasEntries(entry.name, in: directory)
    }

    /// Whether a skeleton (the directory `name` of the upper) holds anything but whiteouts and skeletons that
    /// hold nothing either.
    func hasEntries(_ name: PathRef, in upper: FileDescriptor) -> Bool {
        entryCount(name, in: upper, limit: 1) > 0
    }

    /// How many entries a skeleton holds for the union: all below it but whiteouts and further skeletons. The
    /// count stops at `limit`.
    func entryCount(_ name: PathRef, in upper: FileDescriptor, limit: Int = .max) -> Int {
        var count = 0
        upper.walkTree(at: name) { directory, entry, _ in
            if isWhiteout(entry.name, in: directory) { return .pass }
            let isDirectory = (try? directory.status(at: entry.name))?.isDirectory == true
            if !isDirectory || !isSkeleton(entry.name, in: directory) { count += 1 }
            if count >= limit { return .stop }
            return isDirectory ? .enter : .pass
        }
        return count
    }

    func isSkeleton(_ name: PathRef, in directory: FileDescriptor) -> Bool {
        marks(of: name, in: directory).contains(.skeleton)
    }

    /// Whether the entry of the upper is a whiteout of any kind.
    private func isWhiteout(_ name: PathRef, in directory: FileDescriptor) -> Bool {
        guard let status = try? directory.status(at: name) else { return false }
        if status.isWhiteoutDevice { return true }
        if status.isSymlink {
            return stack.upper?.filesystem.type == .bpf && isLinkWhiteout(name, in: directory)
        }
        return status.isRegular && status.size == 0 && directory.hasWhiteoutAttribute(at: name)
    }
}
