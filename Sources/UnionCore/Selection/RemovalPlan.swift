internal import LinuxSystem
internal import SystemPackage

/// How a name is taken from the union: what goes from its layer, and whether a whiteout hides what stays.
struct RemovalPlan {
    private let standings: [Standing]
    private let visibleCount: Int
    private let isDirectory: Bool
    /// A whiteout in the upper covers the name at last.
    let isCovered: Bool

    init(_ survey: Survey, isDirectory: Bool, isCovered: Bool) {
        standings = survey.standings
        visibleCount = survey.visibleCount
        self.isDirectory = isDirectory
        self.isCovered = isCovered
    }

    /// Whether it goes from its layer. What the whiteout itself replaces goes with that.
    private func goes(_ position: Int) -> Bool {
        let standing = standings[position]
        if standing.isWhiteout || standing.layer.isReadOnly { return false }
        if standing.isDirectory && !(isDirectory && position < visibleCount) { return false }
        return !(isCovered && standing.layer.isUpper)
    }

    /// The layers that something goes from, in that order: bottom up.
    var layers: [Int] {
        standings.indices.reversed().filter(goes).map { standings[$0].layer.index }
    }
}

extension Union {
    /// What only a whiteout can take from sight.
    func mustBeCovered(_ standing: Standing) -> Bool {
        !standing.isWhiteout && (standing.layer.isReadOnly || standing.isDirectory)
    }

    /// How unlink(2) or rmdir(2) removes what the survey shows. ENOENT, EISDIR, ENOTDIR, ENOTEMPTY as from those. EROFS,
    /// EBUSY: it would take a whiteout, and there can be none.
    func removalPlan(
        _ survey: Survey, isDirectory: Bool, _ name: PathRef, in directory: Node,
        _ view: borrowing DirectoryView
    ) throws(Errno) -> RemovalPlan {
        guard let owner = survey.owner else { throw .noSuchFileOrDirectory }
        guard owner.isDirectory == isDirectory else { throw isDirectory ? .notDirectory : .isDirectory }
        let isCovered =
            isDirectory
            ? try staysBehind(survey, name, in: directory, view)
            : survey.standings.contains { mustBeCovered($0) }
        if isCovered { try checkCover(survey) }
        return RemovalPlan(survey, isDirectory: isDirectory, isCovered: isCovered)
    }

    /// Whether a whiteout must hide something of a directory, which is empty to users.
    private func staysBehind(
        _ survey: Survey, _ name: PathRef, in directory: Node, _ view: borrowing DirectoryView
    ) throws(Errno) -> Bool {
        try checkEmpty(survey, name, in: directory, view)
        if survey.hidden.contains(where: { mustBeCovered($0) }) { return true }
        for part in survey.visible {
            if part.layer.isReadOnly { return true }
            if part.layer.isUpper { continue }
            // What keeps it is hidden by whiteouts above: it stays, hidden itself.
            guard try isOrdinary(part), let parent = view.directory(in: part.layer.index) else { continue }
            if try !isBare(name, in: parent) { return true }
        }
        return false
    }

    /// EROFS, or EBUSY where it is a hidden directory that it is for: no whiteout can be put over what the survey has.
    func checkCover(_ survey: Survey) throws(Errno) {
        let isReadOnly = survey.standings.contains { !$0.isWhiteout && $0.layer.isReadOnly }
        let error: Errno = isReadOnly ? .readOnlyFileSystem : .resourceBusy
        guard policies.whiteout == .auto, let upper = stack.upper, !upper.isReadOnly else { throw error }
        // A rule may have lower layers looked at first.
        for standing in survey.standings where mustBeCovered(standing) && !standing.layer.isUpper {
            guard survey.isAbove(upper, standing.layer) else { throw error }
        }
    }
}
