public import LinuxSystem
public import SystemPackage

extension Union {
    /// open(2) with O_CREAT of a name that the kernel knows nothing of. Where the union shows a file by now,
    /// opens that file; with O_EXCL the answer is EEXIST.
    public func create(
        _ parent: NodeID, _ name: PathRef, mode: UInt32, flags: Int32, _ caller: CallerIdentity
    ) throws(Errno) -> (Entry, OpenedFile) {
        let flags = OpenFlags(rawValue: flags)
        var tries = 0
        while true {
            var target = try changes.target(parent, name, caller)
            do throws(Errno) {
                guard target.lookup.isVisible else {
                    return try create(name, in: &target, mode: mode, flags, caller, isSure: tries == 0)
                }
                if flags.contains(.exclusive) { throw .fileExists }
                return try openExisting(name, in: target, flags, caller)
            } catch {
                reporting.noteNotMade(name, in: target.directory)
                tries += 1
                guard tries < 64, !flags.contains(.exclusive), hasPassed(error, target.lookup) else {
                    throw error
                }
            }
        }
    }

    /// Whether the failure came from a change under way: another process has just made the file that wasn't
    /// there, or has just removed the one that was. Opening that file and making a new one are both right at
    /// any time.
    private func hasPassed(_ error: Errno, _ lookup: NameLookup) -> Bool {
        switch error {
        case .fileExists, .noSuchFileOrDirectory: true
        // The kernel must walk to anything but a file.
        case .staleNFSFileHandle: lookup.owner?.status.isRegular != false
        default: false
        }
    }

    /// Makes the file. `isSure`: as far as is known, no process has made one since the lookup. Otherwise the
    /// file is opened or made in one step: a process that makes and removes it without a pause might always
    /// be faster than two steps.
    private func create(
        _ name: PathRef, in target: inout Target, mode: UInt32, _ flags: OpenFlags, _ caller: CallerIdentity,
        isSure: Bool
    ) throws(Errno) -> (Entry, OpenedFile) {
        let mayExist = !isSure && target.lookup.layerEntries.isEmpty
        let change = OwnChange(coherence.noting, target.directory, name)
        let shared = target.view.shared
        let made = try changes.put(.create, name, in: &target, caller) {
            directory, layer throws(Errno) -> LocatedObject in
            let file = try layers.asCaller(
                caller, in: directory, isPseudo: shared?.isPseudo(in: layer),
                exact: mode & ModeBits.setGroup != 0
            ) { () throws(Errno) -> OwnedDescriptor in
                try directory.openBeneath(
                    name, flags: creationFlags(flags, mayExist: mayExist), mode: mode & ModeBits.permissions)
            }
            if mayExist, try !file.descriptor.status().isRegular { throw .fileExists }
            return try LocatedObject(layer: layer, open: file)
        }
        let layer = made.layer
        // A file that was made aside and then moved has another change time.
        let status = target.lookup.whiteout == nil ? made.status : try made.descriptor.status()
        var entry = try reporting.newEntry(name, status, in: layer, target)
        do throws(Errno) {
            let node = try resolver.node(entry.node)
            change.end(by: caller)
            let file = try opened(node, layer, try made.intoObject(), flags)
            if coherence.plan.isLasting { reporting.keepAttributesUnwatched(&entry) }
            return (entry, file)
        } catch {
            reporting.forget(entry.node, count: 1)
            throw error
        }
    }

    private func openExisting(
        _ name: PathRef, in target: borrowing Target, _ flags: OpenFlags, _ caller: CallerIdentity
    ) throws(Errno) -> (Entry, OpenedFile) {
        let entry = try reporting.entry(target.lookup, name, in: target.directory, target.view)
        do throws(Errno) {
            // The kernel takes nothing but a file here. On ESTALE it walks the path again.
            guard FileKind(mode: entry.attributes.mode) == .regular else { throw .staleNFSFileHandle }
            let file = try open(entry.node, flags: flags.rawValue, caller)
            // O_TRUNC may just have changed its size.
            let node = try resolver.node(entry.node)
            var current = entry
            current.attributes = try resolver.attributes(of: node, files.find(file.handle))
            // The kernel takes these attributes in, whatever it learnt meanwhile, so they are for this call
            // only.
            current.freshness.attributeSeconds = 0
            return (current, file)
        } catch {
            reporting.forget(entry.node, count: 1)
            throw error
        }
    }

    /// The flags for the real open(2). With O_EXCL the real file must be new too, even if another process has
    /// just made one there. Without O_EXCL there may be an object of any kind, and it must not hold up the
    /// server.
    private func creationFlags(_ flags: OpenFlags, mayExist: Bool) -> OpenFlags {
        flags.union([.create, mayExist ? .nonBlocking : .exclusive, .noFollow, .noTerminal])
            .subtracting(.kernelOnly)
    }
}
