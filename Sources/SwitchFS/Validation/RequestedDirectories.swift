import UnionCore

/// All directories of a mount request, found; and whether they can stand beside each other.
struct RequestedDirectories {
    /// In the union's order: the upper first, where there is one.
    let layers: [GivenDirectory]
    let hasUpper: Bool
    let work: GivenDirectory?
    let mountPoint: GivenDirectory
    /// Nothing is made in the upper.
    private let isUpperReadOnly: Bool

    init(_ options: MountOptions, at mountPoint: String, _ mounts: MountTable) throws(MountError) {
        var layers: [GivenDirectory] = []
        isUpperReadOnly = options.policies.readOnly || options.upper?.readOnly == true
        if let upper = options.upper {
            layers.append(
                try GivenDirectory("upperdir", upper.path, for: isUpperReadOnly ? .read : .write, mounts))
        }
        for lower in options.lowers {
            let directory = try GivenDirectory("lowerdir", lower.path, for: .read, mounts)
            if lower.readOnly == nil, !options.policies.readOnly { try directory.checkIsNoImage() }
            layers.append(directory)
        }
        self.layers = layers
        hasUpper = options.upper != nil
        if let path = options.workDirectory {
            work = try GivenDirectory(
                "workdir", path, for: options.policies.readOnly ? .read : .write, mounts)
        } else {
            work = nil
        }
        self.mountPoint = try GivenDirectory("mount point", mountPoint, for: .cover, mounts)
    }

    func checkRelations() throws(MountError) {
        try checkLayersAgainstEachOther()
        try checkWork()
        for layer in layers where mountPoint.isInside(layer) {
            throw .failure(
                "mount point \(mountPoint.path) is inside \(layer.role) \(layer.path): the union would hold "
                    + "itself; choose a mount point outside, or the layer's own directory")
        }
    }

    private func checkLayersAgainstEachOther() throws(MountError) {
        // By identity first: 500 layers would make 250,000 comparisons of sets.
        var byIdentity: [DirectoryIdentity: GivenDirectory] = [:]
        for layer in layers {
            if let other = byIdentity.updateValue(layer, forKey: layer.identity) {
                throw .failure(
                    "\(other.role) \(other.path) and \(layer.role) \(layer.path) are the same directory; "
                        + "give it once")
            }
        }
        for layer in layers {
            for ancestor in layer.ancestors {
                guard let outer = byIdentity[ancestor] else { continue }
                throw .failure(
                    "\(layer.role) \(layer.path) is inside \(outer.role) \(outer.path); "
                        + "layers must be apart from each other")
            }
        }
    }

    private func checkWork() throws(MountError) {
        try checkMarks()
        guard let work, let upper = layers.first, hasUpper else { return }
        for layer in layers {
            if work.identity == layer.identity {
                throw .failure("workdir \(work.path) is \(layer.role) itself; give a directory of its own")
            }
            if work.isInside(layer) || layer.isInside(work) {
                let (inner, outer) = work.isInside(layer) ? (work, layer) : (layer, work)
                throw .failure(
                    "\(inner.role) \(inner.path) is inside \(outer.role) \(outer.path); "
                        + "put workdir beside upperdir")
            }
        }
        if work.identity == mountPoint.identity || mountPoint.isInside(work) {
            throw .failure("mount point \(mountPoint.path) is in workdir \(work.path); choose another one")
        }
        // Names move from one to the other by rename, which doesn't cross mounts. An upper without attributes
        // has its own place for that, and needs workdir for its marks.
        if !upper.keepsMarks { return }
        if work.mountID != upper.mountID || work.identity.device != upper.identity.device {
            throw .failure(
                "workdir \(work.path) is on another filesystem or mount than upperdir \(upper.path); "
                    + "put it beside upperdir")
        }
    }

    /// Marks that an upper can't hold are kept in a file of workdir.
    private func checkMarks() throws(MountError) {
        guard let upper = layers.first, hasUpper, !isUpperReadOnly, !upper.keepsMarks else { return }
        guard let work else {
            throw .failure(
                "upperdir \(upper.path) takes no extended attributes; give workdir, a directory on another "
                    + "filesystem where they are kept")
        }
        if !work.takesFiles {
            throw .failure(
                "workdir \(work.path) is on a filesystem that takes no files, and upperdir \(upper.path) takes "
                    + "no extended attributes; give a workdir where they can be kept")
        }
    }
}
