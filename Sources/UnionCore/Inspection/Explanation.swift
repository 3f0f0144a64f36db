internal import LinuxSystem
public import SystemPackage

/// How a path resolves, and where changes to it would go.
public struct PathExplanation: Sendable {
    public struct LayerFinding: Sendable {
        public let index: Int
        public let path: String
        /// `file`, `directory`, `symlink`, …, `whiteout`, `nothing`.
        public let found: String
        public let note: String
    }

    public enum Outcome: Sendable {
        case goes(layer: Int, path: String, reason: String)
        case fails(Errno, reason: String)
    }

    /// In the union, without a leading slash.
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
    /// Explains a union path, given relative to the root. ENOENT where a directory on the way isn't there.
    public func explain(path: String) throws(Errno) -> PathExplanation {
        let names = path.split(separator: "/").filter { $0 != "." }.map(String.init)
        guard let last = names.last else { return try explainRoot() }
        let above = names.dropLast().joined(separator: "/")
        let (directory, visited) = try walk(Array(above.utf8))
        defer { for node in visited { forget(node, count: 1) } }
        let name = OwnedName(last)
        try check(name.ref)
        let node = try node(directory)
        let view = try view(of: node)
        let survey = try survey(view, name.ref, in: node, all: true)
        return explain(names.joined(separator: "/"), name.ref, in: node, view, survey)
    }

    private func explain(
        _ path: String, _ name: PathRef, in directory: Node, _ view: borrowing DirectoryView, _ survey: Survey
    ) -> PathExplanation {
        let inside = survey.owner?.isDirectory == true
        return PathExplanation(
            path: path, kind: kind(of: survey), owner: survey.owner?.layer.index,
            layers: findings(path, survey, view),
            create: creation(.create, path, name, in: directory, view, survey, inside: inside),
            mkdir: creation(.mkdir, path, name, in: directory, view, survey, inside: inside),
            unlink: removal(path, survey), rename: renaming(path, survey))
    }

    private func explainRoot() throws(Errno) -> PathExplanation {
        let view = try view(of: table.root)
        let survey = try survey(of: view)
        let findings = survey.standings.map {
            PathExplanation.LayerFinding(
                index: $0.layer.index, path: $0.layer.path, found: "directory", note: "the layer's root")
        }
        let fixed = PathExplanation.Outcome.fails(.resourceBusy, reason: "the union's root stays")
        return PathExplanation(
            path: "", kind: view.count > 1 ? "merged" : "pure", owner: survey.owner?.layer.index,
            layers: findings, create: insideRoot(.create, view), mkdir: insideRoot(.mkdir, view),
            unlink: fixed, rename: fixed)
    }

    private func insideRoot(
        _ operation: SelectedOperation, _ view: borrowing DirectoryView
    ) -> PathExplanation.Outcome {
        creation(operation, "", "", in: table.root, view, Survey(), inside: false)
    }

    private func kind(of survey: Survey) -> String {
        guard let owner = survey.owner else { return "absent" }
        guard owner.isDirectory else { return owner.status.kind.name }
        if survey.isMerged { return "merged" }
        return owner.marks.contains(.complete) ? "complete" : "pure"
    }

    private func findings(
        _ path: String, _ survey: Survey, _ view: borrowing DirectoryView
    ) -> [PathExplanation.LayerFinding] {
        stack.layers.map { layer in
            let realPath = join(layer.path, path)
            let position = survey.standings.firstIndex { $0.layer === layer }
            if survey.unseen?.layer === layer {
                return .init(
                    index: layer.index, path: realPath, found: "directory",
                    note: "orphan, not shown: the directory that it belongs to has gone")
            }
            guard let position else {
                let note =
                    view.directory(in: layer.index) == nil
                    ? "does not back the directory" : "has nothing of that name, or was not looked at"
                return .init(index: layer.index, path: realPath, found: "nothing", note: note)
            }
            let standing = survey.standings[position]
            return .init(
                index: layer.index, path: realPath,
                found: standing.isWhiteout ? "whiteout" : standing.status.kind.name,
                note: note(on: standing, survey, isVisible: position < survey.visibleCount))
        }
    }

    private func note(on standing: Standing, _ survey: Survey, isVisible: Bool) -> String {
        if standing.isWhiteout { return "hides the name in the layers below" }
        guard isVisible else { return "hidden by a higher layer" }
        if standing.layer === survey.owner?.layer { return "owner" }
        return standing.marks.contains(.skeleton) ? "skeleton" : "merged in"
    }
}

// Where changes would go.
extension Union {
    private func creation(
        _ operation: SelectedOperation, _ path: String, _ name: PathRef, in directory: Node,
        _ view: borrowing DirectoryView, _ survey: Survey, inside: Bool
    ) -> PathExplanation.Outcome {
        if survey.isVisible && !inside { return .fails(.fileExists, reason: "the name is in use") }
        do throws(Errno) {
            try checkWritable()
            let candidates = try candidates(for: operation, name, in: directory, view)
            let layer = candidates.first
            try checkWritable(layer)
            let option = operation == .mkdir ? "mkdir" : "create"
            var reason = "\(option) goes to layer \(layer.index)"
            if let second = candidates.second { reason += ", or to layer \(second.index) if that refuses" }
            let backs =
                inside
                ? survey.visible.contains { $0.layer === layer } : view.directory(in: layer.index) != nil
            if layer.isUpper && !backs { reason += "; its directory there is made first" }
            if inside { reason += "; below this directory" }
            return .goes(layer: layer.index, path: join(layer.path, path), reason: reason)
        } catch {
            return .fails(error, reason: reason(for: error))
        }
    }

    private func removal(_ path: String, _ survey: Survey) -> PathExplanation.Outcome {
        guard let top = survey.visible.first else {
            return .fails(.noSuchFileOrDirectory, reason: "there is nothing of that name")
        }
        if policies.readOnly { return .fails(.readOnlyFileSystem, reason: reason(for: .readOnlyFileSystem)) }
        let covered = survey.standings.contains {
            !$0.isWhiteout && ($0.layer.isReadOnly || $0.isDirectory && !top.isDirectory)
        }
        guard covered else {
            let layers = survey.standings.filter { !$0.isWhiteout }.map { String($0.layer.index) }
            return .goes(
                layer: top.layer.index, path: join(top.layer.path, path),
                reason: "removed from layer \(layers.reversed().joined(separator: ", then "))")
        }
        guard policies.whiteout == .auto, let upper = stack.upper, !upper.isReadOnly else {
            return .fails(.readOnlyFileSystem, reason: "it would take a whiteout, and there can be none")
        }
        return .goes(
            layer: upper.index, path: join(upper.path, path), reason: "hidden by a whiteout in the upper")
    }

    private func renaming(_ path: String, _ survey: Survey) -> PathExplanation.Outcome {
        guard let owner = survey.owner else {
            return .fails(.noSuchFileOrDirectory, reason: "there is nothing of that name")
        }
        if survey.isMerged {
            return .fails(.improperLink, reason: "several layers back the directory; mv copies it")
        }
        if owner.layer.isReadOnly || policies.readOnly {
            return .fails(.improperLink, reason: "layer \(owner.layer.index) is read-only; mv copies it")
        }
        return .goes(
            layer: owner.layer.index, path: join(owner.layer.path, path),
            reason: "within layer \(owner.layer.index), which owns it")
    }

    private func reason(for error: Errno) -> String {
        switch error {
        case .readOnlyFileSystem: "no layer may be written"
        case .notPermitted: "a rule denies it"
        case .improperLink: "the directory has no place in that layer"
        default: String(describing: error)
        }
    }
}
