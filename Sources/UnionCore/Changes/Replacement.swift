internal import LinuxSystem
internal import SystemPackage

// A name of a pseudo filesystem stays that filesystem's. Another layer's file in its place would look like
// the switch and switch nothing.

extension Changes {
    /// Called before a rename changes anything. EPERM, as from most pseudo filesystems: the rename would put
    /// something over what a pseudo filesystem shows there.
    func checkReplacement(
        of moving: LayerEntry, by destination: borrowing NameLookup
    ) throws(Errno) {
        if let replaced = destination.owner, replaced.layer !== moving.layer, resolver.isOnPseudo(replaced) {
            throw .notPermitted
        }
    }

    /// Throws EPERM if a pseudo filesystem's directory can't move within its layer. EXDEV would have the
    /// caller copy it, and a directory of control files can't be copied.
    func checkMove(of moving: LayerEntry, to destination: borrowing Target) throws(Errno) {
        guard moving.isDirectory, !moving.layer.isReadOnly, resolver.isOnPseudo(moving),
            destination.view.directory(in: moving.layer.index) == nil
        else { return }
        throw .notPermitted
    }
}
