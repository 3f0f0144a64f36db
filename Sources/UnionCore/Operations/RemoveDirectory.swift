public import LinuxSystem
public import SystemPackage

extension Union {
    /// rmdir(2): the directory must be empty as the union shows it, except that a pseudo filesystem's own
    /// rmdir decides for what it lists. Lowers go first, bottom up, then the upper.
    public func removeDirectory(
        _ parent: NodeID, _ name: PathRef, _ caller: CallerIdentity
    ) throws(Errno) {
        var target = try removalTarget(parent, name, caller)
        guard let owner = target.survey.owner else { throw .noSuchFileOrDirectory }
        guard owner.isDirectory else { throw .notDirectory }
        let survey = target.survey
        let departing = depart(survey, name, in: target.directory, target.view)
        let change = OwnChange(coherence.noting, target.directory, name)
        let isGone = try onlyDirectory(of: survey, target.view).map { only throws(Errno) in
            try removePlain(name, in: only, caller)
        }
        if isGone != true {
            try removeParts(of: &target, name, caller)
        } else if owner.layer.isUpper {
            work.marks?.drop(owner.status)
        }
        noteTakenAway(name, from: target.directory)
        departing.finish()
        change.left(by: caller)
        emptied.forget(owner.status)
        leaveEmptied(target.directory)
    }

    /// Removes what every layer has of a directory that is empty to users, or covers it.
    private func removeParts(
        of target: inout Target, _ name: PathRef, _ caller: CallerIdentity
    ) throws(Errno) {
        let survey = target.survey
        let plan = try removalPlan(survey, isDirectory: true, name, in: target.directory, target.view)
        let cover = plan.isCovered ? try upperDirectory(for: target.directory, &target.view) : nil
        try removeFiles(survey.hidden, name, target.view, except: cover, caller)
        guard let cover else {
            try removeLowers(plan, name, target.view, caller)
            return try removeUpper(survey, name, in: target.directory, target.view, caller)
        }
        guard plan.uncovers else { return try coverWithWhiteout(name, in: cover, of: target.directory) }
        try self.cover(name, in: cover, of: target.directory) { () throws(Errno) in
            try removeLowers(plan, name, target.view, caller)
        }
    }

    /// The lower layers' parts, bottom up.
    private func removeLowers(
        _ plan: RemovalPlan, _ name: PathRef, _ view: borrowing DirectoryView, _ caller: CallerIdentity
    ) throws(Errno) {
        for part in plan.removed where part.isDirectory && !part.layer.isUpper {
            guard let directory = view.directory(in: part.layer.index) else { continue }
            if try removePlain(name, in: directory, caller) { continue }
            // What keeps it is hidden by whiteouts above: it stays, hidden itself.
            guard plan.isCovered, try isOrdinary(part) else { throw .directoryNotEmpty }
        }
    }

    /// The one directory that stands under the name, in a writable layer.
    private func onlyDirectory(
        of survey: Survey, _ view: borrowing DirectoryView
    ) -> FileDescriptor? {
        guard survey.standings.count == 1, let only = survey.standings.first, !only.layer.isReadOnly
        else { return nil }
        return view.directory(in: only.layer.index)
    }

    /// False: something is in it.
    func removePlain(
        _ name: PathRef, in directory: FileDescriptor, _ caller: CallerIdentity
    ) throws(Errno) -> Bool {
        do {
            try asCaller(caller, in: directory) { () throws(Errno) in
                try directory.removeDirectory(at: name)
            }
            return true
        } catch .directoryNotEmpty, .fileExists {
            return false
        }
    }

    /// A directory that lists what keeps it from being removed.
    func isOrdinary(_ part: Standing) throws(Errno) -> Bool {
        guard let facts = stack.filesystems.find(part.status.device), facts.isPseudo else { return true }
        // bpffs holds what its users put there, and as an upper nothing else.
        return part.layer.isUpper && facts.type == .bpf
    }

    /// ENOTEMPTY where the union shows an entry in the directory. Pseudo filesystems' parts aren't asked.
    func checkEmpty(
        _ survey: Survey, _ name: PathRef, in directory: Node, _ view: borrowing DirectoryView
    ) throws(Errno) {
        var listing = MergedListing()
        var upper: OwnedDescriptor?
        for part in survey.visible where try isOrdinary(part) {
            let real = try open(part, name, in: view, flags: [.readOnly, .directory, .noFollow])
            let source = ListingSource(
                layer: part.layer, filesystem: part.layer.filesystem,
                marks: marks(of: "", in: real.descriptor), isRoot: false, size: 0)
            var stream = DirectoryStream(reading: real.descriptor)
            try listing.add(source, &stream, self)
            listing.endLayer()
            if part.layer.isUpper { upper = consume real }
        }
        if let upper { listing.hideOrphans(in: upper.descriptor, self) }
        if listing.hasEntries { throw .directoryNotEmpty }
    }

    /// The upper's part, which may still hold whiteouts and unseen skeletons: then it is put aside.
    private func removeUpper(
        _ survey: Survey, _ name: PathRef, in parent: Node, _ view: borrowing DirectoryView,
        _ caller: CallerIdentity
    ) throws(Errno) {
        guard let part = survey.visible.first(where: { $0.layer.isUpper }),
            let directory = view.directory(in: part.layer.index)
        else { return }
        if try removePlain(name, in: directory, caller) {
            work.marks?.drop(part.status)
        } else {
            try putAside(name, in: directory, at: try path(of: name, in: parent))
        }
    }
}
