internal import LinuxSystem
internal import SystemPackage

// Putting a new object under a name: the steps that create, mknod, mkdir, symlink, link and O_TMPFILE share.

/// A union directory as an operation that changes it finds it: open, with what stands under the name.
struct Target: ~Copyable {
    let directory: Node
    var view: DirectoryView
    let survey: Survey
}

extension Union {
    /// Opens the directory and finds all that stands under the name, hidden things too.
    func target(
        _ parent: NodeID, _ name: PathRef, _ caller: CallerIdentity
    ) throws(Errno) -> Target {
        try check(name)
        try checkWritable()
        let directory = try node(parent)
        let view = try viewToLook(of: directory, for: caller)
        let survey = try survey(view, name, in: directory, all: true)
        return Target(directory: directory, view: view, survey: survey)
    }

    /// Lets `make` make the new object in the layer that the branch selector names, in the second one where
    /// the first refuses. EEXIST: the union shows something there.
    func place<R: ~Copyable>(
        _ operation: SelectedOperation, _ name: PathRef, in target: inout Target,
        _ make: (FileDescriptor, Layer) throws(Errno) -> R
    ) throws(Errno) -> R {
        if target.survey.isVisible { throw .fileExists }
        let candidates = try candidates(for: operation, name, in: target.directory, target.view)
        do {
            return try place(name, in: &target, candidates.first, make)
        } catch {
            guard let second = candidates.second, Candidates.isRefusal(error) else { throw error }
            return try place(name, in: &target, second, make)
        }
    }

    /// The same in one layer.
    func place<R: ~Copyable>(
        _ name: PathRef, in target: inout Target, _ layer: Layer,
        _ make: (FileDescriptor, Layer) throws(Errno) -> R
    ) throws(Errno) -> R {
        try checkWritable(layer)
        let parent = try directory(of: target.directory, &target.view, in: layer)
        if layer.isUpper { try makeRoom(for: name, in: parent, of: target.directory, target.survey) }
        let lifted = try liftWhiteout(name, for: layer, target)
        do {
            return try make(parent, layer)
        } catch {
            if let lifted { try? makeWhiteout(name, in: lifted) }
            throw error
        }
    }

    /// The real directory of that layer, its skeleton made in the upper where it is missing. EXDEV: a lower
    /// doesn't have it, and nothing is made there that nobody asked for.
    func directory(
        of directory: Node, _ view: inout DirectoryView, in layer: Layer
    ) throws(Errno) -> FileDescriptor {
        if layer.isUpper { return try upperDirectory(for: directory, &view) }
        guard let existing = view.directory(in: layer.index) else { throw .improperLink }
        return existing
    }

    /// Takes away the whiteout that would hide a new object in `layer`; nil: there is none. Between this and
    /// the object's making nobody looks: the kernel holds the directory's lock over the whole operation.
    private func liftWhiteout(
        _ name: PathRef, for layer: Layer, _ target: borrowing Target
    ) throws(Errno) -> FileDescriptor? {
        guard let whiteout = target.survey.whiteout, whiteout.layer.index <= layer.index,
            let directory = target.view.directory(in: whiteout.layer.index)
        else { return nil }
        try checkWritable(whiteout.layer)
        try directory.unlink(at: name)
        return directory
    }

    /// A new directory where a whiteout stood holds every entry itself: what the whiteout hid stays hidden.
    func completeIfCovering(
        _ name: PathRef, in parent: FileDescriptor, _ layer: Layer, _ survey: Survey
    ) throws(Errno) {
        guard let whiteout = survey.whiteout, whiteout.layer.index <= layer.index else { return }
        try markComplete(name, in: parent)
    }

    func markComplete(_ name: PathRef, in parent: FileDescriptor) throws(Errno) {
        try set(.complete, "y", on: name, in: parent)
    }

    /// The node of what was just made. A file's attributes aren't kept yet: who makes one mostly goes on to
    /// change it.
    func newEntry(_ name: PathRef, in target: borrowing Target) throws(Errno) -> Entry {
        let survey = try survey(target.view, name, in: target.directory)
        return try entry(survey, name, in: target.directory, target.view, keepsAttributes: false)
    }

    /// The same for a file that is open, whose status that is.
    func newEntry(
        _ name: PathRef, _ status: FileStatus, in layer: Layer, _ target: borrowing Target
    ) throws(Errno) -> Entry {
        var survey = Survey()
        survey.begun = coherence.now
        survey.add(Standing(layer: layer, status: status, isWhiteout: false, marks: []))
        return try entry(survey, name, in: target.directory, target.view, keepsAttributes: false)
    }
}
