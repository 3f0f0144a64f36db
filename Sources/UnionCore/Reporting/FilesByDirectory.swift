internal import LinuxSystem
internal import Synchronization
internal import SystemPackage

// Files that are kept by their directory's watch.
//
// A watch for each file costs a system call, a second look, a kilobyte of the kernel's memory, and one of the
// watches that the user may have. Most files are looked at once. So a file with one link is first kept by the
// watch of its directory, which tells of all that happens to it there, and for a second only: it may get
// another link elsewhere, and of that the watch doesn't tell. After that it gets its own watch, unless it is one
// of very many (`FilesToSettle`). Of those each gets its own watch when it is asked for again.
//
// While files are kept so, their directory is watched for writes to files. Each such write wakes the server,
// whichever file it is to. So the watch goes back to what it was once nothing is kept by it any more.

extension Reporting {
    /// What comes of a wish to keep a file by its directory's watch.
    enum KeepingByDirectory {
        case kept
        /// The watch is newer than the look.
        case lookAgain
        /// The file needs a watch of its own.
        case unfit
    }

    /// Keeps a file by the watch of the directory that it was found in, if that will do. `begun`: when the look
    /// at it began. `directory.lookingUp` has announced it.
    func keepByDirectory(
        _ node: Node, _ status: FileStatus, in directory: Node, _ view: borrowing DirectoryView, begun: UInt64
    ) -> KeepingByDirectory {
        // A name may be told twice at once, in a listing and by itself.
        let isNew = node.state.withLock { !$0.wasKeptByDirectory || $0.isKeptByDirectory }
        guard status.linkCount == 1, isNew else { return .unfit }
        let watchedSince = directory.state.withLock { state in
            state.filesKeptAt = monotonicNanoseconds()
            return state.isCached ? state.filesWatchedSince : 0
        }
        if watchedSince == 0 { return watchFiles(in: directory, view) ? .lookAgain : .unfit }
        guard watchedSince <= begun else { return .lookAgain }
        node.state.withLock { $0.isKeptByDirectory = true }
        return .kept
    }

    /// The same, for a file that wasn't looked up just now. False: the file needs a watch of its own.
    func keepByDirectory(_ node: Node, _ status: FileStatus) -> Bool {
        guard !node.state.withLock({ $0.wasKeptByDirectory }), node.isReportedAtItsAlias,
            let directory = node.alias?.parent, let view = try? resolver.view(of: directory),
            isKept(directory, as: view, begun: coherence.now)
        else { return false }
        for _ in 0..<2 {
            switch keepByDirectory(node, status, in: directory, view, begun: coherence.now) {
            case .kept: return true
            case .lookAgain: continue
            case .unfit: return false
            }
        }
        return false
    }

    /// For how many seconds the attributes may be kept of a file that is kept by its directory's watch.
    func secondsByDirectory(of node: Node, reporting attributes: Attributes) -> Double {
        let file = FilesToSettle.File(
            node: node.id, reported: attributes.fingerprint, endings: node.state.withLock { $0.endings })
        if coherence.filesToSettle.add(file) {
            return CoherencePlan.lasting
        }
        coherence.unwatchedAttributes.note(node.id)
        return UnwatchedAttributes.secondsByDirectory
    }

    /// Has each real directory of this one watched for writes to its files. False: that can't be had.
    private func watchFiles(in directory: Node, _ view: borrowing DirectoryView) -> Bool {
        let backings = directory.makeup.backings
        guard let source = coherence.source, directory.isRoot || view.isMade(of: backings) else {
            return false
        }
        return coherence.filesWatches.withLock { _ in
            for backing in view.backings
            where coherence.plan.choices[backing.layer.index].mode == .watch {
                let isWatched = source.watch(
                    backing.directory, for: directory.id, layer: backing.layer.index, as: .directoryWithFiles)
                guard isWatched else { return false }
            }
            let now = coherence.tick()
            return directory.state.withLock { state in
                // The watch may just have ended, or others may be watched by now.
                guard state.isCached, state.makeup.backings == backings else { return false }
                state.filesWatchedSince = now
                return true
            }
        }
    }

    /// Has the directory not be watched for writes to its files any more, unless one is kept by that.
    func endFilesWatch(of directory: Node) {
        guard let source = coherence.source, let view = try? resolver.view(of: directory) else { return }
        coherence.filesWatches.withLock { _ in
            // In one step: a look that would keep a file after it finds that files aren't watched.
            let ends = directory.state.withLock { state in
                if state.mayKeepFiles { return false }
                state.filesWatchedSince = 0
                // Where the watch can't be ended, as another directory needs it, it is tried again after a while.
                state.filesKeptAt = monotonicNanoseconds()
                return true
            }
            guard ends else { return }
            for backing in view.backings
            where coherence.plan.choices[backing.layer.index].mode == .watch {
                source.narrow(backing.directory, for: directory.id, layer: backing.layer.index)
            }
        }
    }

    /// Gives a file its own watch, as the kernel is about to keep pages of it: the directory's watch tells of no
    /// change after the first one. False: that can't be had.
    func watchPages(of node: Node, _ file: FileDescriptor, in layer: Layer) -> Bool {
        let (wasKept, endings) = node.state.withLock { ($0.isKeptByDirectory, $0.endings) }
        guard watch(file, for: node, layer: layer.index, endings) else { return false }
        // The attributes that the kernel has are older than the watch.
        if wasKept { coherence.invalidations.append(.attributes(node.id)) }
        return true
    }

    /// Ends the keeping of a file whose directory's watch tells no more of it.
    func endKeepingByDirectory(of alias: NodeAlias) {
        guard let file = table.find(alias.node), !file.isDirectory else { return }
        if file.endKeepingByDirectory(at: coherence.tick()) {
            coherence.invalidations.append(.attributes(file.id))
        }
    }
}

extension Node.State {
    /// Whether a file may be kept by the directory's watch for writes to its files.
    fileprivate var mayKeepFiles: Bool {
        monotonicNanoseconds() &- filesKeptAt < UnwatchedAttributes.lifetime
    }
}

extension Node {
    /// Whether a file may be kept by the directory's watch for writes to its files.
    var mayKeepFiles: Bool { state.withLock { $0.mayKeepFiles } }

    /// Ends the keeping of a file by its directory's watch, as of `now`. False: it wasn't kept so.
    func endKeepingByDirectory(at now: UInt64) -> Bool {
        let isControlFile = filesystem.isControlGroups
        return state.withLock { state in
            guard state.isKeptByDirectory || isControlFile && state.isCached else { return false }
            state.isKeptByDirectory = false
            if isControlFile { state.isCached = false }
            // No look that is older is kept.
            state.cachedSince = now
            return true
        }
    }
}

extension InodeTable {
    /// Whether the kernel may keep what it was told of the file by its directory's watch.
    func isKept(_ name: PathRef, byWatchOf directory: Node) -> Bool {
        guard let alias = directory.reported(name) else { return false }
        return find(alias.node)?.state.withLock { $0.isKeptByDirectory } == true
    }
}
