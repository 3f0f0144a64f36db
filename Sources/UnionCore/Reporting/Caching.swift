internal import LinuxSystem
internal import Synchronization
internal import SystemPackage

// The order before the kernel is told anything that it may keep: first the watch, then the node's
// registration, then the look whose answer it is told. A later change brings an event that finds the
// registration. An earlier change is in the answer.

extension Reporting {
    /// For how many seconds the lookup's answer may be kept.
    func entrySeconds(of lookup: NameLookup, in directory: Node, _ view: borrowing DirectoryView) -> Double {
        guard coherence.plan.isLasting else { return coherence.plan.freshness.entrySeconds }
        // An orphan comes and goes with what it holds, however deep.
        if lookup.isOrphan || lookup.unseen != nil { return 0 }
        return isKept(directory, as: view, begun: lookup.begun) ? CoherencePlan.lasting : 0
    }

    /// Whether what a look in the directory finds may be kept: the directory is watched, and made of what it
    /// was watched with. `begun`: when the look began. One that is older than the watch may have missed a
    /// change between the two. One in what is held of a directory that isn't there any more may come after all
    /// that was kept of it was dropped.
    func isKept(_ directory: Node, as view: borrowing DirectoryView, begun: UInt64) -> Bool {
        let (isCached, since, backings) = directory.state.withLock {
            ($0.isCached, $0.cachedSince, $0.makeup.backings)
        }
        return isCached && since <= begun && !view.isHeld && (directory.isRoot || view.isMade(of: backings))
    }

    /// What was done so that something can be kept.
    enum Preparation {
        /// Everything that can be kept is prepared. The value is a look at the object that is younger than
        /// its watch, if one was needed.
        case lookedAt((status: FileStatus, begun: UInt64)?)
        /// The watch comes after the reply. `endings`: the node's count at this time.
        case watchLater(endings: UInt16)
        /// The directory's watch tells of the file for a moment.
        case keptByDirectory
        /// The file is probably about to go: its attributes are kept for a moment, without a watch.
        case passing
        /// The watch is newer than the look at the layers.
        case lookAgain

        var look: (status: FileStatus, begun: UInt64)? {
            guard case .lookedAt(let look) = self else { return nil }
            return look
        }
    }

    /// When a file that has no watch gets one.
    enum FileWatch {
        /// Before it is reported.
        case first
        /// After it is reported.
        case deferred
        /// Not at all: it is about to go.
        case never
    }

    /// Makes sure that what stands under the name can be kept.
    func prepareCaching(
        of node: Node, _ lookup: NameLookup, _ name: PathRef, in directory: Node,
        _ view: borrowing DirectoryView, watches: FileWatch
    ) -> Preparation {
        guard coherence.plan.isLasting else { return .lookedAt(nil) }
        if noteMounts(lookup) { return .lookAgain }
        guard directory.state.withLock({ $0.isCached }) else {
            // The directory's name may come to denote something else, unseen: nothing below it is kept.
            if node.isDirectory { node.state.withLock { $0.isCached = false } }
            return .lookedAt(nil)
        }
        guard node.isDirectory else {
            return watchFile(node, lookup, name, in: directory, view, watches: watches)
        }
        return watchDirectory(node, lookup, name, in: directory, view) ? .lookAgain : .lookedAt(nil)
    }

    /// Watches the directory's parts if they aren't watched yet. True: the look is older than the watch.
    private func watchDirectory(
        _ node: Node, _ lookup: NameLookup, _ name: PathRef, in directory: Node,
        _ view: borrowing DirectoryView
    ) -> Bool {
        let makeup = Makeup(of: lookup)
        let (isWatched, isCurrent, since) = node.state.withLock { state in
            let isRefused = state.isDegraded && !state.isGivenBack
            return (state.isCached || isRefused, state.makeup == makeup, state.cachedSince)
        }
        if isWatched && isCurrent { return since > lookup.begun }
        // The kernel keeps names in it: the notify thread first sees to those, and to the watch.
        if isWatched && node.state.withLock({ $0.isCached }) { return false }
        // What it is in is made of others than it is watched with. These may go again unseen, and this part
        // of it with them: of such a directory nothing is kept.
        guard isKept(directory, as: view, begun: lookup.begun) else { return false }
        watchParts(of: node, lookup, name, view)
        // The kernel perhaps kept it once, made of others.
        if !isCurrent { coherence.invalidations.append(.names(node.id)) }
        return true
    }

    /// Watches every real directory that makes the node up, and notes the lookup's parts as its makeup. After
    /// that the look is older than the watches, and must be made again.
    func watchParts(of node: Node, _ lookup: NameLookup, _ name: PathRef, _ view: borrowing DirectoryView) {
        guard let owner = lookup.owner,
            let filesystem = stack.filesystems.find(owner.status.device)
        else { return }
        let endings = node.state.withLock { $0.endings }
        var isWatched = true
        for layerEntry in lookup.visible where isWatched {
            // What the directory is in has lost that part meanwhile: the look is out of date.
            guard layerEntry.elsewhere != nil || view.directory(in: layerEntry.layer.index) != nil else {
                return
            }
            switch watch(layerEntry, name, in: view, for: node) {
            case .watched: break
            case .refused: isWatched = false
            // The look is out of date before it is reported.
            case .replaced: return
            }
        }
        setMakeup(
            Makeup(of: lookup), resolver.directoryOwner(owner, filesystem), of: node, begun: lookup.begun,
            mayGrow: true)
        noteWatched(node, as: Makeup(of: lookup), isWatched, endings)
    }

    /// Notes whether the node's parts are watched. If a younger look has found other parts, these watches
    /// were in vain: the next look watches the others.
    private func noteWatched(_ node: Node, as makeup: Makeup, _ isWatched: Bool, _ endings: UInt16) {
        node.state.withLock { state in
            guard state.makeup == makeup else { return }
            if !isWatched && !state.isDegraded { coherence.degraded.add(1, ordering: .relaxed) }
            if isWatched && state.isDegraded { coherence.degraded.subtract(1, ordering: .relaxed) }
            state.isDegraded = !isWatched
            state.isGivenBack = false
            state.filesWatchedSince = 0
            state.isCached = isWatched && state.endings == endings
            state.cachedSince = coherence.tick()
        }
    }

    private enum WatchResult {
        case watched, refused
        /// Another object than the one looked at stands there.
        case replaced
    }

    /// Watches one real directory of a node.
    private func watch(
        _ layerEntry: LayerEntry, _ name: PathRef, in view: borrowing DirectoryView, for node: Node
    ) -> WatchResult {
        let layer = layerEntry.layer
        guard let filesystem = stack.filesystems.find(layerEntry.status.device),
            coherence.plan.suits(layer, filesystem)
        else { return .refused }
        guard coherence.plan.choices[layer.index].mode == .watch else { return .watched }
        guard let source = coherence.source, makeRoomForWatch(source) else { return .refused }
        if filesystem.isControlGroups { node.state.withLock { $0.isControlGroup = true } }
        do throws(Errno) {
            guard try watchWay(to: layerEntry, for: node, source) else { return .refused }
            let object = try resolver.openEntry(
                layerEntry, name, in: view, flags: [.path, .directory, .noFollow])
            let status = try object.descriptor.status()
            guard resolver.identity(of: layerEntry).matches(status) else { return .replaced }
            let isWatched = source.watch(
                object.descriptor, for: node.id, layer: layer.index, as: .init(directoryOn: filesystem))
            return isWatched ? .watched : .refused
        } catch {
            return [.noSuchFileOrDirectory, .notDirectory].contains(error) ? .replaced : .refused
        }
    }

    /// Watches the way to what a mark of overlayfs leads to, which is known by its path. When a stranger
    /// moves a directory on the way, the event names the node.
    private func watchWay(
        to layerEntry: LayerEntry, for node: Node, _ source: any ChangeSource
    ) throws(Errno) -> Bool {
        guard let path = layerEntry.elsewhere else { return true }
        var end = 0
        while let slash = path[end...].firstIndex(of: Redirection.slash) {
            let above = OwnedName(Array(path[..<slash]))
            let directory = try layerEntry.layer.openDirectory(at: above.ref)
            guard
                source.watch(
                    directory.descriptor, for: node.id, layer: layerEntry.layer.index,
                    as: .init(directoryOn: try? stack.filesystems.facts(of: directory.descriptor)))
            else { return false }
            end = slash + 1
        }
        return true
    }

    /// Watches the file, or says when to do so. The directory's watch tells if the name comes to denote
    /// another object, so only the attributes are looked at again. A program that empties a directory looks
    /// at each file once before it removes the file, and a watch costs more than all the rest of that.
    private func watchFile(
        _ node: Node, _ lookup: NameLookup, _ name: PathRef, in directory: Node,
        _ view: borrowing DirectoryView, watches: FileWatch
    ) -> Preparation {
        let (isCached, since, endings) = node.state.withLock { ($0.isCached, $0.cachedSince, $0.endings) }
        if isCached { return since > lookup.begun ? .lookAgain : .lookedAt(nil) }
        if node.filesystem.isControlGroups {
            keepControlFile(node)
            return .lookedAt(nil)
        }
        guard mayWatch(node), let owner = lookup.owner,
            let parent = view.directory(in: owner.layer.index)
        else { return .lookedAt(nil) }
        guard coherence.plan.choices[owner.layer.index].mode == .watch else {
            keepUnwatched(node)
            return .lookedAt(nil)
        }
        // Only of a look that was announced (`Node.lookingUp`) no event is missed.
        if watches != .first {
            switch keepByDirectory(node, owner.status, in: directory, view, begun: lookup.begun) {
            case .kept: return .keptByDirectory
            case .lookAgain: return .lookAgain
            case .unfit: break
            }
        }
        if watches == .never || directory.takeRemoval() { return .passing }
        if watches == .deferred && coherence.source != nil && !coherence.deferredWatches.isBehind {
            return .watchLater(endings: endings)
        }
        guard let object = try? parent.openBeneath(name, flags: [.path, .noFollow]),
            let status = try? object.descriptor.status(), node.identity.matches(status)
        else { return .lookAgain }
        guard watch(object.descriptor, for: node, layer: owner.layer.index, endings) else {
            return .lookedAt(nil)
        }
        let begun = coherence.now
        guard let latest = try? object.descriptor.status() else { return .lookAgain }
        return .lookedAt((latest, begun))
    }

    /// Whether the file has no watch and could get one. While a client writes to it through the union its
    /// attributes change all the time, and aren't kept.
    func mayWatch(_ node: Node) -> Bool {
        node.state.withLock { state in
            !state.isCached && !state.isDegraded && state.openFiles?.hasWriter != true
        }
    }

    /// Watches a file. `endings`: the node's count before anything of the file was looked at. False: there is
    /// no watch.
    func watch(_ object: FileDescriptor, for node: Node, layer: Int, _ endings: UInt16) -> Bool {
        guard let source = coherence.source else { return false }
        let isWatched =
            makeRoomForWatch(source)
            && source.watch(object, for: node.id, layer: layer, as: .file)
        noteFileWatch(of: node, isWatched, endings)
        return isWatched
    }

    /// Notes whether the file has a watch of its own.
    func noteFileWatch(of node: Node, _ isWatched: Bool, _ endings: UInt16) {
        node.state.withLock { state in
            // Another thread may have ended this watch meanwhile.
            state.isCached = isWatched && state.endings == endings
            state.isDegraded = !isWatched
            state.isKeptByDirectory = false
            state.cachedSince = coherence.tick()
        }
    }

    /// Lets the node be kept without a watch: by the user's word, nothing changes its layer.
    private func keepUnwatched(_ node: Node) {
        node.state.withLock { $0.isCached = true }
    }

    /// Lets the attributes of a control file be kept if its directory is watched, whose watch tells of them.
    private func keepControlFile(_ node: Node) {
        guard let directory = node.alias?.parent, let since = directory.watchedAsControlGroupSince else {
            return
        }
        node.state.withLock { state in
            state.isCached = true
            // Not before the last event of it, either.
            state.cachedSince = max(state.cachedSince, since)
        }
        // If the watch has ended since, the files may have been gone through already.
        if directory.watchedAsControlGroupSince != since { node.state.withLock { $0.isCached = false } }
    }

    /// Makes sure that the attributes of a file that was found by itself can be kept.
    func prepareCaching(of node: Node, _ object: borrowing LocatedObject) {
        guard coherence.plan.isLasting, !node.isDirectory else { return }
        if node.filesystem.isControlGroups { return keepControlFile(node) }
        let layer = object.layer.index
        guard mayWatch(node) else { return }
        guard coherence.plan.choices[layer].mode == .watch else { return keepUnwatched(node) }
        if keepByDirectory(node, object.status) { return }
        _ = watch(object.descriptor, for: node, layer: layer, node.state.withLock { $0.endings })
    }

    /// Lets the attributes of a file without a watch, which are about to be reported, be kept for a moment.
    func keepAttributesUnwatched(_ entry: inout Entry) {
        coherence.unwatchedAttributes.note(entry.node)
        entry.freshness.attributeSeconds = UnwatchedAttributes.seconds
    }

    /// For how many seconds the attributes that are about to be reported may be kept. Notes that they are
    /// reported. `backings`: of a directory, what it was made of when they were looked at. `begun`: when the
    /// look began. `thread`: the thread that asks; 0: it isn't known.
    func attributeSeconds(
        of node: Node, reporting attributes: Attributes, from backings: UInt64, begun: UInt64,
        to thread: Int32
    ) -> Double {
        let plan = coherence.plan
        guard plan.isLasting else { return plan.freshness.attributeSeconds }
        // This is a removed directory: it may turn out to have been moved.
        if node.isDirectory && attributes.linkCount == 0 { return 0 }
        // No write changes a control file's attributes.
        let mindsWriters = node.isDirectory || !node.filesystem.isControlGroups
        /// By what attributes are kept true.
        enum Keeping { case nothing, directory, degraded, watch }
        let keeping: Keeping = node.state.withLock { state in
            if mindsWriters && state.openFiles?.hasWriter == true { return .nothing }
            guard state.isCached else {
                guard !node.isDirectory, attributes.linkCount == 1 else { return .nothing }
                if state.isKeptByDirectory { return state.cachedSince <= begun ? .directory : .nothing }
                return state.isDegraded ? .degraded : .nothing
            }
            // A look that is older than the watch may have missed a change between the two.
            guard state.cachedSince <= begun else { return .nothing }
            if node.isDirectory {
                // It is made of others than what is watched. They may have come with what it is in, and go
                // with it before that is looked at: then no event leads here.
                guard node.isRoot || state.makeup.backings == backings else { return .nothing }
                state.reportedAttributes.add(attributes.fingerprint, to: thread)
            }
            return .watch
        }
        switch keeping {
        case .nothing: return 0
        case .directory: return secondsByDirectory(of: node, reporting: attributes)
        case .degraded:
            coherence.unwatchedAttributes.note(node.id)
            return UnwatchedAttributes.secondsByDirectory
        case .watch: return CoherencePlan.lasting
        }
    }

    /// Ends the keeping of the file's attributes, as a client opens it for writing through the union. They
    /// aren't kept until the last such handle is released, and the kernel drops what it has of them.
    func endCaching(of node: Node) {
        guard coherence.plan.isLasting, !node.filesystem.isControlGroups else { return }
        let (wasCached, wasKept) = node.state.withLock { state in
            defer {
                state.isCached = false
                state.isKeptByDirectory = false
            }
            state.endings &+= 1
            return (state.isCached, state.isKeptByDirectory)
        }
        if wasCached { coherence.source?.unwatch(node.id) }
        if wasCached || wasKept { coherence.invalidations.append(.attributes(node.id)) }
    }

    /// Ends the node's watch after the kernel has forgotten the node.
    func endWatch(of node: Node) {
        guard coherence.plan.isLasting else { return }
        let wasDegraded = node.state.withLock { $0.isDegraded && node.isDirectory }
        if wasDegraded { coherence.degraded.subtract(1, ordering: .relaxed) }
        coherence.source?.unwatch(node.id)
    }
}

extension Reporting {
    /// Watches a file before its attributes are looked at, if these aren't kept yet.
    func watchBeforeLook(_ node: Node) throws(Errno) {
        guard coherence.plan.isLasting, !node.isDirectory,
            !node.state.withLock({ $0.isCached || $0.isDegraded }),
            node.filesystem.isControlGroups || mayWatch(node)
        else { return }
        let object = try resolver.object(of: node)
        prepareCaching(of: node, object)
    }

    /// Has the kernel drop the node's attributes, which changed in a way that neither inotify nor the
    /// kernel's own FUSE tells of. They go before the caller gets its answer. To drop attributes alone waits
    /// for no other request.
    func dropAttributes(of node: Node) {
        guard coherence.plan.freshness.attributeSeconds > 0 else { return }
        node.state.withLock { $0.reportedAttributes = .none }
        try? coherence.kernel.withLock { $0 }?.dropNode(node.id, content: false)
    }
}
