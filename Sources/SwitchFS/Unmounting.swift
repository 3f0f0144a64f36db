import LinuxSystem
import SystemPackage

/// Ending a mount, whatever process serves it.
public enum Unmounting {
    /// Unmounts the switchfs mount at this path; the topmost where several are stacked. Doesn't wait for its server to end.
    ///
    /// Never lazily: a mount that is in use stays, and that is an error. Throws ``MountError`` of kind
    /// ``MountError/Kind/failure`` where there is no switchfs mount, too, and where it isn't this user's.
    public static func unmount(_ mountPoint: String) throws(MountError) {
        try unmount(at: MountPlace.at(mountPoint))
    }

    static func unmount(at place: MountPlace) throws(MountError) {
        let name = OwnedName(place.path)
        do {
            try Mounting.unmount(name.ref, flags: .noFollow)
        } catch Errno.notPermitted {
            try unmountAsUser(place)
        } catch {
            throw failure(place.path, error)
        }
    }

    private static func unmountAsUser(_ place: MountPlace) throws(MountError) {
        guard place.owner == ServerIdentity.uid else {
            throw .failure(
                "\(place.path): mounted by uid \(place.owner); only root and that user may unmount it")
        }
        let name = OwnedName(place.path)
        do {
            try Mounting.unmountUnprivileged(name.ref)
        } catch Errno.noSuchFileOrDirectory {
            throw .failure("fusermount3 is not installed; users mount and unmount through it: install fuse3")
        } catch Errno.notPermitted {
            // fusermount3 gives no reason; being in use is the only one left.
            throw failure(place.path, .resourceBusy)
        } catch {
            throw failure(place.path, error)
        }
    }

    private static func failure(_ path: String, _ error: Errno) -> MountError {
        switch error {
        case .resourceBusy:
            .failure("\(path) is in use; end who uses it (fuser -vm \(path) shows them), then unmount again")
        default:
            .failure("\(path): can't be unmounted: \(error)")
        }
    }
}
