internal import LinuxSystem
internal import Synchronization
internal import SystemPackage

// Files that were kept by their directory's watch get their own.
//
// Most come with many others of one directory. To watch a file by its descriptor takes four system calls and a walk through
// `/proc`. From within its directory, by its name, it takes two, and a third of the time. For an instant another file may
// have had the name, and then that one is watched. Before the right one comes back, it must leave the name. Its watch tells
// of that, and then the file counts as unwatched again (`InvalidationBatch.endWatching`).
extension Reporting {
    /// Gives the files that have waited for it their own watches, or has the kernel drop them. `workplace`: the calling
    /// thread's, if it has one of its own.
    func settleFiles(from workplace: OwnWorkingDirectory?) {
        let turn = coherence.deferredWatches.begin()
        // It lasts until all of this is through.
        defer { _ = turn }
        let work = coherence.filesToSettle.take()
        let files: [DeferredWatch] = work.files.compactMap { file in
            guard let node = table.find(file.node), node.state.withLock({ $0.isKeptByDirectory }) else {
                return nil
            }
            return DeferredWatch(node: node, reported: file.reported, endings: file.endings)
        }
        if work.areTooMany {
            for file in files { coherence.invalidations.append(.unwatchedAttributes(file.node.id)) }
            giveBack(work.settled)
        } else {
            settle(files, from: workplace)
        }
    }

    private func giveBack(_ files: [NodeID]) {
        guard let source = coherence.source else { return }
        for id in files {
            if let node = table.find(id) { giveBackFile(node, source) }
        }
    }

    private func settle(_ files: [DeferredWatch], from workplace: OwnWorkingDirectory?) {
        var rest = files[...]
        while let first = rest.first {
            let directory = first.node.alias?.parent
            let others = rest.dropFirst()
            let end = others.firstIndex { $0.node.alias?.parent !== directory } ?? rest.endIndex
            let group = rest[..<end]
            if let workplace, let directory, let source = coherence.source, group.count >= Self.fewest {
                settle(group, in: directory, source, workplace)
            } else {
                for file in group { settleByDescriptor(file) }
            }
            rest = rest[end...]
        }
    }

    /// For fewer files of a directory it isn't worth to go there.
    private static var fewest: Int { 4 }

    private func settleByDescriptor(_ file: DeferredWatch) {
        setDeferredWatch(file)
        coherence.filesToSettle.noteSettled(file.node.id)
    }

    /// Watches files of one directory by their names, and by their descriptors where that won't do.
    private func settle(
        _ files: ArraySlice<DeferredWatch>, in directory: Node, _ source: any ChangeSource,
        _ workplace: OwnWorkingDirectory
    ) {
        guard let view = try? resolver.view(of: directory) else {
            for file in files { settleByDescriptor(file) }
            return
        }
        defer { workplace.leave() }
        var layer: Int?
        for file in files {
            if watch(file, in: directory, view, from: workplace, at: &layer, source) {
                coherence.filesToSettle.noteSettled(file.node.id)
            } else {
                settleByDescriptor(file)
            }
        }
    }

    /// Watches one of them. `layer`: where the thread is. True: from here on events tell of all that differs from what the
    /// kernel was told.
    private func watch(
        _ file: DeferredWatch, in directory: Node, _ view: borrowing DirectoryView,
        from workplace: OwnWorkingDirectory, at layer: inout Int?, _ source: any ChangeSource
    ) -> Bool {
        let node = file.node
        guard let alias = node.alias, alias.parent === directory, mayWatch(node), !source.isFull,
            coherence.plan.choices[alias.layer].mode == .watch, let parent = view.directory(in: alias.layer)
        else { return false }
        if layer != alias.layer {
            layer = nil
            guard (try? workplace.enter(parent)) != nil else { return false }
            layer = alias.layer
        }
        guard source.watchFile(named: alias.name, for: node.id, layer: alias.layer) else { return false }
        noteFileWatch(of: node, true, file.endings)
        // A FORGET ends only the watches that the node has at that time.
        if table.find(node.id) == nil { source.unwatch(node.id) }
        if isAsReported(file, alias.name, in: parent, resolver.stack[alias.layer]) { return true }
        unwatch(node, source)
        return false
    }

    private func isAsReported(
        _ file: DeferredWatch, _ name: PathRef, in parent: FileDescriptor, _ layer: Layer
    ) -> Bool {
        let node = file.node
        guard let status = try? parent.status(at: name), node.identity.matches(status),
            !layer.mayHaveMetacopy(status)
        else { return false }
        return file.isAsReported(resolver.attributes(status, node.filesystem))
    }

    /// Ends a watch that is perhaps another file's.
    private func unwatch(_ node: Node, _ source: any ChangeSource) {
        node.state.withLock { $0.isCached = false }
        source.unwatch(node.id)
    }
}
