internal import LinuxSystem
public import SystemPackage

/// How a path resolves, and where changes to it would go.
public struct PathExplanation: Sendable {
    /// What one layer has at the path.
    public struct LayerFinding: Sendable {
        public let index: Int
        public let path: String
        /// `file`, `directory`, `symlink`, …, `whiteout`, `nothing`.
        public let found: String
        public let note: String
    }

    /// Where a change would go, or the error with which it would fail.
    public enum Outcome: Sendable {
        case goes(layer: Int, path: String, reason: String)
        case fails(Errno, reason: String)
    }

    /// The path in the union, without a leading slash.
    public let path: String
    /// `pure`, `merged` or `complete` for a directory, the kind of file, or `absent`.
    public let kind: String
    public let owner: Int?
    public let layers: [LayerFinding]
    public let create: Outcome
    public let mkdir: Outcome
    public let unlink: Outcome
    public let rename: Outcome
}

extension Union {
    /// Explains a union path, given relative to the root; its names may be of any bytes. ENOENT: a directory
    /// on the way isn't there.
    public func explain(path: [UInt8]) throws(Errno) -> PathExplanation {
        let names = path.split(separator: 0x2f).filter { !$0.elementsEqual([0x2e]) }
        guard let last = names.last else { return try explainRoot() }
        let above = Array(names.dropLast().joined(separator: [0x2f]))
        let (directory, visited) = try walk(above)
        defer { for node in visited { reporting.forget(node, count: 1) } }
        let name = OwnedName(Array(last))
        try resolver.check(name.ref)
        let node = try resolver.node(directory)
        let view = try resolver.view(of: node)
        let lookup = try resolver.lookupToExplain(view, name.ref, in: node)
        let full = above + (above.isEmpty ? [] : [0x2f]) + Array(last)
        return try explain(full, name.ref, in: node, view, lookup)
    }

    private func explain(
        _ bytes: [UInt8], _ name: PathRef, in directory: Node, _ view: borrowing DirectoryView,
        _ lookup: NameLookup
    ) throws(Errno) -> PathExplanation {
        let path = String(decoding: bytes, as: UTF8.self)
        if lookup.failure != nil || view.failure != nil {
            return unanswered(path, lookup, in: directory, view)
        }
        if let obstacle = lookup.obstacle {
            return refusal(
                path, lookup, kind: kind(of: lookup), .fails(.notPermitted, reason: obstacle.text),
                in: directory, view)
        }
        let (create, mkdir): (PathExplanation.Outcome, PathExplanation.Outcome)
        if lookup.owner?.isDirectory == true {
            let (inside, visited) = try walk(bytes)
            defer { for node in visited { reporting.forget(node, count: 1) } }
            let node = try resolver.node(inside)
            let view = try resolver.view(of: node)
            create = creation(.create, path, "", in: node, view, NameLookup(), inside: true)
            mkdir = creation(.mkdir, path, "", in: node, view, NameLookup(), inside: true)
        } else {
            create = creation(.create, path, name, in: directory, view, lookup, inside: false)
            mkdir = creation(.mkdir, path, name, in: directory, view, lookup, inside: false)
        }
        return PathExplanation(
            path: path, kind: kind(of: lookup), owner: lookup.owner?.layer.index,
            layers: findings(path, lookup, in: directory, view), create: create, mkdir: mkdir,
            unlink: removal(path, lookup, name, in: directory, view), rename: renaming(path, lookup))
    }

    /// The explanation where a layer fails: what the other layers have, and that a change would have to know
    /// what that layer holds.
    private func unanswered(
        _ path: String, _ lookup: NameLookup, in directory: Node, _ view: borrowing DirectoryView
    ) -> PathExplanation {
        let error = lookup.failure ?? view.failure ?? .ioError
        let failing = stack.layers.filter { $0.failure != nil }.map { "\($0.index)" }.joined(separator: ", ")
        return refusal(
            path, lookup, kind: lookup.isVisible ? kind(of: lookup) : "unknown",
            .fails(error, reason: "it would have to know what layer \(failing) has, which fails"),
            in: directory,
            view)
    }

    /// The explanation where every change fails with `refused`.
    private func refusal(
        _ path: String, _ lookup: NameLookup, kind: String, _ refused: PathExplanation.Outcome,
        in directory: Node, _ view: borrowing DirectoryView
    ) -> PathExplanation {
        PathExplanation(
            path: path, kind: kind, owner: lookup.owner?.layer.index,
            layers: findings(path, lookup, in: directory, view), create: refused, mkdir: refused,
            unlink: refused, rename: refused)
    }

    private func explainRoot() throws(Errno) -> PathExplanation {
        let view = try resolver.view(of: table.root)
        let lookup = try resolver.lookup(of: view)
        let findings = lookup.layerEntries.map {
            PathExplanation.LayerFinding(
                index: $0.layer.index, path: $0.layer.path, found: "directory", note: "the layer's root")
        }
        let fixed = PathExplanation.Outcome.fails(.resourceBusy, reason: "the union's root stays")
        return PathExplanation(
            path: "", kind: view.count > 1 ? "merged" : "pure", owner: lookup.owner?.layer.index,
            layers: findings, create: insideRoot(.create, view), mkdir: insideRoot(.mkdir, view),
            unlink: fixed, rename: fixed)
    }

    private func insideRoot(
        _ operation: SelectedOperation, _ view: borrowing DirectoryView
    ) -> PathExplanation.Outcome {
        creation(operation, "", "", in: table.root, view, NameLookup(), inside: false)
    }

    private func kind(of lookup: NameLookup) -> String {
        guard let owner = lookup.owner else { return "absent" }
        guard owner.isDirectory else { return owner.status.kind.name }
        if lookup.isMerged { return "merged" }
        return owner.marks.contains(.complete) ? "complete" : "pure"
    }

    private func findings(
        _ path: String, _ lookup: NameLookup, in directory: Node, _ view: borrowing DirectoryView
    ) -> [PathExplanation.LayerFinding] {
        let name = path.split(separator: "/").last.map(String.init) ?? ""
        return stack.layers.map { layer in
            let above = (try? resolver.path(of: directory, in: layer))?.string ?? ""
            let realPath = join(layer.path, above.isEmpty ? name : join(above, name))
            let position = (0..<lookup.columnCount).first { lookup.column($0).layer === layer }
            if lookup.unseen?.layer === layer {
                return .init(
                    index: layer.index, path: realPath, found: "directory",
                    note: "orphan, not shown: the directory that it belongs to has gone")
            }
            guard let position else {
                if let failure = layer.failure {
                    return .init(
                        index: layer.index, path: realPath, found: "nothing", note: "fails: \(failure)")
                }
                let note =
                    view.directory(in: layer.index) == nil
                    ? "does not back the directory" : "has nothing of that name, or was not looked at"
                return .init(index: layer.index, path: realPath, found: "nothing", note: note)
            }
            let layerEntry = lookup.column(position)
            let elsewhere = layerEntry.elsewhere.map { join(layer.path, String(decoding: $0, as: UTF8.self)) }
            return .init(
                index: layer.index, path: elsewhere ?? realPath,
                found: layerEntry.isWhiteout ? "whiteout" : layerEntry.status.kind.name,
                note: note(on: layerEntry, lookup, isVisible: position < lookup.visibleCount))
        }
    }

    private func note(on layerEntry: LayerEntry, _ lookup: NameLookup, isVisible: Bool) -> String {
        if layerEntry.isWhiteout { return "hides the name in the layers below" }
        guard isVisible else { return "hidden by another layer" }
        if let obstacle = lookup.obstacle, obstacle.layer === layerEntry.layer { return obstacle.text }
        if let data = layerEntry.data {
            let path = join(data.layer.path, String(decoding: data.path, as: UTF8.self))
            return "owner; its data is in layer \(data.layer.index), \(path)"
        }
        if layerEntry.layer === lookup.owner?.layer { return "owner" }
        if layerEntry.elsewhere != nil { return "merged in, where a mark of overlayfs leads" }
        return layerEntry.marks.contains(.skeleton) ? "skeleton" : "merged in"
    }
}

// Where changes would go, by the plans that the operations make.
extension Union {
    /// Where a new object would go. `inside`: an object in the directory, under any name that is free.
    private func creation(
        _ operation: SelectedOperation, _ path: String, _ name: PathRef, in directory: Node,
        _ view: borrowing DirectoryView, _ lookup: NameLookup, inside: Bool
    ) -> PathExplanation.Outcome {
        if lookup.isVisible { return .fails(.fileExists, reason: "the name is in use") }
        do throws(Errno) {
            try layers.checkWritable()
            let plan = try changes.creationPlan(for: operation, name, in: directory, view, lookup)
            let layer = plan.first.layer
            let option = operation == .mkdir ? "mkdir" : "create"
            var reason = "\(option) goes to layer \(layer.index)"
            if let second = plan.second {
                reason += ", or to layer \(second.layer.index) if that refuses"
            }
            if layer.isUpper && view.directory(in: layer.index) == nil {
                reason += "; its directory there is made first"
            }
            if plan.first.mustBeComplete { reason += "; marked as complete" }
            if inside { reason += "; below this directory" }
            return .goes(layer: layer.index, path: join(layer.path, path), reason: reason)
        } catch {
            return .fails(error, reason: reason(for: error))
        }
    }

    private func removal(
        _ path: String, _ lookup: NameLookup, _ name: PathRef, in directory: Node,
        _ view: borrowing DirectoryView
    ) -> PathExplanation.Outcome {
        do throws(Errno) {
            try layers.checkWritable()
            let plan = try changes.removalPlan(
                lookup, isDirectory: lookup.owner?.isDirectory == true, name, in: directory, view)
            let layers = plan.layers.map(String.init).joined(separator: ", then ")
            if plan.isCovered, let upper = stack.upper {
                let hidden = "hidden by a whiteout in the upper"
                let removed = "removed from layer \(layers)"
                let reason =
                    layers.isEmpty
                    ? hidden : plan.uncovers ? "\(hidden), then \(removed)" : "\(removed), then \(hidden)"
                return .goes(layer: upper.index, path: join(upper.path, path), reason: reason)
            }
            guard let top = plan.layers.last.map({ stack[$0] }) else { throw .noSuchFileOrDirectory }
            return .goes(
                layer: top.index, path: join(top.path, path), reason: "removed from layer \(layers)")
        } catch {
            return .fails(error, reason: removalReason(for: error))
        }
    }

    private func renaming(_ path: String, _ lookup: NameLookup) -> PathExplanation.Outcome {
        do throws(Errno) {
            try layers.checkWritable()
            if lookup.isMerged { return try mergedRenaming(path, lookup) }
            let plan = try changes.departurePlan(lookup)
            let layer = plan.layer
            let covered = plan.isCovered ? "; a whiteout covers what lies below" : ""
            return .goes(
                layer: layer.index, path: join(layer.path, path),
                reason: "within layer \(layer.index), which owns it" + covered)
        } catch {
            return .fails(error, reason: renameReason(for: error, lookup))
        }
    }

    private func mergedRenaming(
        _ path: String, _ lookup: NameLookup
    ) throws(Errno) -> PathExplanation.Outcome {
        guard let owner = lookup.owner else { throw .noSuchFileOrDirectory }
        try changes.checkParts(of: lookup)
        let layers = lookup.visible.map { String($0.layer.index) }.joined(separator: ", ")
        return .goes(
            layer: owner.layer.index, path: join(owner.layer.path, path),
            reason: "in each of layers \(layers), as one step")
    }

    private func reason(for error: Errno) -> String {
        switch error {
        case .readOnlyFileSystem: "no layer may be written"
        case .notPermitted: "a rule denies it"
        case .improperLink: "the layer has no place for it: no such directory, or something hidden is there"
        default: String(describing: error)
        }
    }

    private func removalReason(for error: Errno) -> String {
        switch error {
        case .noSuchFileOrDirectory: "there is nothing of that name"
        case .directoryNotEmpty: "the directory isn't empty"
        case .resourceBusy: "a directory lies hidden below: it would take a whiteout, and there can be none"
        case .readOnlyFileSystem where !policies.readOnly:
            "it would take a whiteout, and there can be none"
        default: reason(for: error)
        }
    }

    private func renameReason(for error: Errno, _ lookup: NameLookup) -> String {
        guard error == .improperLink else { return removalReason(for: error) }
        if let readOnly = lookup.visible.first(where: \.layer.isReadOnly) {
            return "layer \(readOnly.layer.index) is read-only; mv copies it"
        }
        return lookup.isMerged
            ? "a work directory is needed to rename it" : "its layer is read-only; mv copies it"
    }
}
