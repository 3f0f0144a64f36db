/// Changing mounts that other processes serve: what the commands do.
///
/// Mounts are found in the mount table of the calling process's mount namespace; a path may be relative. Only root and
/// the user who mounted are answered. Each call waits for its answer for up to 600 seconds. It throws ``MountError`` of
/// kind ``MountError/Kind/failure`` where there is no switchfs mount, where its server doesn't answer, and where the server
/// can't do what is asked.
public enum MountControl {
    /// Moving and removing trees takes as long as it takes; so does waiting for a busy layer.
    private static var patience: Duration { .seconds(600) }

    /// Returns when every change made underneath before this call is visible in the mount.
    public static func synchronize(_ mountPoint: String) throws(MountError) {
        try ask(.sync, at: mountPoint)
    }

    /// The orphans of the mount at this path that hold anything; of nested ones the outermost.
    public static func orphans(at mountPoint: String) throws(MountError) -> [Orphan] {
        try JSON.decode([Orphan].self, from: ask(.orphans, at: mountPoint))
    }

    /// Brings an orphan back for good, to the directory that has its path now. Throws where there is none of this id, where
    /// the directory that held it is gone, and where one of its names is in use; then nothing was moved.
    public static func restoreOrphan(_ id: String, at mountPoint: String) throws(MountError) {
        try ask(.restoreOrphan(Array(id.utf8)), at: mountPoint)
    }

    /// Removes an orphan with all that it holds. Throws where there is none of this id.
    public static func purgeOrphan(_ id: String, at mountPoint: String) throws(MountError) {
        try ask(.purgeOrphan(Array(id.utf8)), at: mountPoint)
    }

    /// Removes all orphans with all that they hold. Throws where one couldn't be removed; others may be gone then.
    public static func purgeAllOrphans(at mountPoint: String) throws(MountError) {
        try ask(.purgeAllOrphans, at: mountPoint)
    }

    /// Marks a directory in a mount as holding every entry itself, or takes that back. `path` leads to the directory through
    /// the mount. Throws where it is no directory, is the mount's root, or its layer is read-only or takes no marks.
    public static func setComplete(_ isComplete: Bool, _ path: String) throws(MountError) {
        let (place, inside) = try MountPlace.holding(path)
        let argument = Array(inside.utf8)
        let client = ControlClient(place: place, timeout: patience)
        _ = try client.ask(isComplete ? .complete(argument) : .incomplete(argument))
    }

    @discardableResult
    private static func ask(_ request: ControlRequest, at mountPoint: String) throws(MountError) -> [UInt8] {
        let place = try MountPlace.at(mountPoint)
        return try ControlClient(place: place, timeout: patience).ask(request).body
    }
}
