internal import LinuxSystem
internal import Synchronization
internal import SystemPackage

// Files that were kept by their directory's watch get their own.
//
// Most come with many others of one directory. To watch a file by its descriptor takes four system calls and a walk through
// `/proc`. From within its directory, by its name, it takes two, and a third of the time. What has the name when it is
// watched may be another file, even if the right one has it before and after. But a file that was away has another change
// time then, and so isn't as it was reported.
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
            for file in files { coherence.filesToSettle.noteSettled(file.node.id) }
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
            let end = rest.firstIndex { $0.node.alias?.parent !== directory } ?? rest.endIndex
            if let workplace, let directory, let source = coherence.source {
                settle(rest[..<end], in: directory, source, workplace)
            } else {
                for file in rest[..<end] { setDeferredWatch(file) }
            }
            // The first one may have lost its name just now.
            rest = rest[max(end, rest.startIndex + 1)...]
        }
    }

    /// Watches files of one directory by their names, and by their descriptors where that won't do.
    private func settle(
        _ files: ArraySlice<DeferredWatch>, in directory: Node, _ source: any ChangeSource,
        _ workplace: OwnWorkingDirectory
    ) {
        guard let view = try? resolver.view(of: directory) else {
            for file in files { setDeferredWatch(file) }
            return
        }
        defer { workplace.leave() }
        var layer: Int?
        for file in files where !watch(file, in: directory, view, from: workplace, at: &layer, source) {
            setDeferredWatch(file)
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
            node.filesystem.type.changesTimeOnRename,
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
        return resolver.attributes(status, node.filesystem).fingerprint == file.reported
            && node.state.withLock { $0.endings == file.endings }
    }

    /// Ends a watch that is perhaps another file's.
    private func unwatch(_ node: Node, _ source: any ChangeSource) {
        node.state.withLock { $0.isCached = false }
        source.unwatch(node.id)
    }
}
