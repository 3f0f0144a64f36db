internal import LinuxSystem
internal import SystemPackage

// A name of a pseudo filesystem stays that filesystem's. A file of another layer in its place would look like the
// switch and switch nothing.

extension Union {
    /// Asked before a rename changes anything. EPERM, as from most pseudo filesystems: it would put something over
    /// what a pseudo filesystem shows there, or it would take a directory apart of which one holds a part.
    func checkReplacement(
        of moving: Standing, _ source: borrowing Survey, by destination: borrowing Survey
    ) throws(Errno) {
        if let replaced = destination.owner, replaced.layer !== moving.layer, isPseudo(replaced) {
            throw .notPermitted
        }
        guard source.isMerged else { return }
        for standing in source.visible where !standing.layer.isReadOnly && !standing.layer.isUpper {
            if isPseudo(standing) { throw .notPermitted }
        }
    }

    /// EXDEV would have the caller copy: a directory of control files is no such thing.
    func checkMove(of moving: Standing, to destination: borrowing Target) throws(Errno) {
        guard moving.isDirectory, !moving.layer.isReadOnly, isPseudo(moving),
            destination.view.directory(in: moving.layer.index) == nil
        else { return }
        throw .notPermitted
    }

    private func isPseudo(_ standing: Standing) -> Bool {
        stack.filesystems.find(standing.status.device)?.isPseudo ?? standing.layer.filesystem.isPseudo
    }
}
