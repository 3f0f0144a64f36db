/// Changing mounts that other processes serve: what the commands do.
public enum MountControl {
    /// Moving and removing trees takes as long as it takes; so does waiting for a busy layer.
    private static var patience: Duration { .seconds(600) }

    /// Returns when every change made underneath before this call is visible in the mount.
    public static func synchronize(_ mountPoint: String) throws(MountError) {
        try ask(.sync, at: mountPoint)
    }

    public static func orphans(at mountPoint: String) throws(MountError) -> [Orphan] {
        try JSON.decode([Orphan].self, from: ask(.orphans, at: mountPoint))
    }

    /// Brings an orphan back for good, to the directory that has its path now.
    public static func restoreOrphan(_ id: String, at mountPoint: String) throws(MountError) {
        try ask(.restoreOrphan(Array(id.utf8)), at: mountPoint)
    }

    /// Removes an orphan with all that it holds.
    public static func purgeOrphan(_ id: String, at mountPoint: String) throws(MountError) {
        try ask(.purgeOrphan(Array(id.utf8)), at: mountPoint)
    }

    public static func purgeAllOrphans(at mountPoint: String) throws(MountError) {
        try ask(.purgeAllOrphans, at: mountPoint)
    }

    /// Marks a directory in a mount as holding every entry itself, or takes that back.
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
