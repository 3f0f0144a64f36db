internal import LinuxSystem
internal import SystemPackage

extension Changes {
    /// Puts a whiteout in the upper's directory that backs `directory`, where `name` may be in use. It is one
    /// step, so that at no moment both are missing. What stood there goes. A directory that goes may hold
    /// only whiteouts and bookkeeping.
    func coverWithWhiteout(
        _ name: PathRef, in upper: FileDescriptor, of directory: Node
    ) throws(Errno) {
        guard try upper.exists(at: name) else { return try layers.makeWhiteout(name, in: upper) }
        let staged = work.temporaryName()
        defer { work.discard(staged.ref) }
        try layers.stageWhiteout(staged.ref, for: upper)
        try putWhiteout(staged.ref, name, in: upper, of: directory)
    }

    /// Puts the staged whiteout in place in one step. What stood there is in the work area now, or has gone.
    func putWhiteout(
        _ staged: PathRef, _ name: PathRef, in upper: FileDescriptor, of directory: Node
    ) throws(Errno) {
        let existing: FileStatus?
        do {
            existing = try upper.status(at: name)
        } catch .noSuchFileOrDirectory {
            existing = nil
        }
        var replacesDirectory = existing?.isDirectory == true
        if replacesDirectory, let existing, policies.orphans == .hide, layers.hasEntries(name, in: upper) {
            // What the directory holds unseen is kept, which takes a step of its own.
            try layers.stash(
                name, in: upper, at: try resolver.path(of: name, in: directory), expecting: existing)
            replacesDirectory = false
        }
        try FileDescriptor.rename(
            from: try work.directory(), staged, to: upper, name, flags: replacesDirectory ? .exchange : [])
    }

    /// Removes what has hidden things below it so far, after a whiteout hides them. To all requests through
    /// the union it is one step, and no step if it fails. A crash leaves the name removed, or as it was.
    func cover(
        _ name: PathRef, in upper: FileDescriptor, of directory: Node,
        removing remove: () throws(Errno) -> Void
    ) throws(Errno) {
        if policies.orphans == .hide, layers.hasEntries(name, in: upper) {
            // What the upper's directory holds unseen is kept, which takes a step of its own.
            try remove()
            return try coverWithWhiteout(name, in: upper, of: directory)
        }
        let staged = work.temporaryName()
        defer { work.discard(staged.ref) }
        try layers.stageWhiteout(staged.ref, for: upper)
        let staging = try work.directory()
        let key = EntryKey(directory.id, name)
        let serial = resolver.mergedRenames.begin(MergedRenames.Move(from: key, to: key))
        defer { resolver.mergedRenames.end(serial) }
        // What stands there is to be covered itself, and waits in the work area.
        let isFree = try !upper.exists(at: name)
        if isFree {
            try layers.putInPlace(staged.ref, from: staging, name, in: upper)
        } else {
            try FileDescriptor.rename(from: staging, staged.ref, to: upper, name, flags: .exchange)
        }
        do throws(Errno) {
            try remove()
        } catch {
            if isFree {
                try? upper.unlink(at: name)
            } else {
                try? FileDescriptor.rename(from: staging, staged.ref, to: upper, name, flags: .exchange)
            }
            throw error
        }
    }
}
