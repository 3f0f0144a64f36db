internal import LinuxSystem
internal import SystemPackage

// An orphan that a client has emptied isn't shown, to rmdir(2) alone: then `rm -r` and its like come to their end. The kernel
// looks the name up before it asks for the removal, and doesn't say what for; the thread's system call does.
extension Union {
    /// The directory and the name for rmdir(2), emptied orphans included.
    func removalTarget(
        _ parent: NodeID, _ name: PathRef, _ caller: CallerIdentity
    ) throws(Errno) -> Target {
        do throws(Errno) {
            let target = try target(parent, name, caller, for: .take)
            if target.survey.isVisible || emptied.isEmpty { return target }
        } catch {
            let isGone = error == .noSuchFileOrDirectory || error == .staleNFSFileHandle
            guard isGone, !emptied.isEmpty else { throw error }
        }
        let directory = try node(parent)
        let view = try viewToRemove(in: directory)
        let survey = try survey(view, name, in: directory, all: true, toRemove: true)
        return Target(directory: directory, view: view, survey: survey)
    }

    /// What a caller finds that is about to remove a directory; nil: that isn't what it does, or it is none of those.
    func lookupToRemove(
        _ name: PathRef, in directory: Node, _ caller: CallerIdentity
    ) throws(Errno) -> Found? {
        guard !emptied.isEmpty, caller.pid > 0, removesDirectory(thread: caller.pid),
            let view = try? viewToRemove(in: directory),
            let survey = try? survey(view, name, in: directory, toRemove: true), survey.isOrphan
        else { return nil }
        return try find(survey, name, in: directory, view, watches: .never, toRemove: true)
    }

    /// The directory may be one of those itself.
    private func viewToRemove(in directory: Node) throws(Errno) -> DirectoryView {
        do throws(Errno) {
            return try view(of: directory)
        } catch {
            guard error == .noSuchFileOrDirectory else { throw error }
        }
        let view = try placedView(of: directory)
        guard isEmptyOrphan(directory, view), let skeleton = try view.backings.first?.directory.status(),
            emptied.has(skeleton)
        else { throw .noSuchFileOrDirectory }
        return view
    }
}
