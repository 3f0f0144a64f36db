/// Asking about mounts that other processes serve: what the commands do.
///
/// Mounts are found in the mount table of the calling process's mount namespace; a path may be relative. Only root and
/// the user who mounted are answered. Each call waits for its answer for up to 10 seconds. It throws ``MountError`` of
/// kind ``MountError/Kind/failure`` where there is no switchfs mount, and where its server doesn't answer.
public enum MountInspection {
    /// What the mount at this path is made of and does.
    public static func status(at mountPoint: String) throws(MountError) -> MountStatus {
        let place = try MountPlace.at(mountPoint)
        return try status(of: place, timeout: .seconds(10)).status
    }

    /// How a path inside a mount resolves. The path need not exist; the directory that it is in must, or this throws.
    public static func explain(_ path: String) throws(MountError) -> Explanation {
        try explain(Array(path.utf8))
    }

    /// The same with a path of any bytes. Names in it need not be UTF-8; a link among or below such isn't followed.
    public static func explain(_ path: [UInt8]) throws(MountError) -> Explanation {
        let (text, rest) = CommandPath.split(path)
        let (place, inside) = try MountPlace.holding(text)
        let client = ControlClient(place: place, timeout: .seconds(10))
        let answer = try client.ask(.explain(Array(inside.utf8) + rest))
        return try JSON.decode(Explanation.self, from: answer.body)
    }

    /// Every switchfs mount of this mount namespace, in the order of mounting. Those whose server doesn't answer within a
    /// second are there, without a pid. Throws where `/proc/self/mountinfo` can't be read.
    public static func list() throws(MountError) -> [MountListing] {
        try MountPlace.all().map { place in
            guard let (pid, status) = try? status(of: place, timeout: .seconds(1)) else {
                return MountListing(mountpoint: place.path, pid: nil, layers: [])
            }
            return MountListing(mountpoint: place.path, pid: pid, layers: status.layers.map(\.path))
        }
    }

    private static func status(
        of place: MountPlace, timeout: Duration
    ) throws(MountError) -> (pid: Int32, status: MountStatus) {
        let answer = try ControlClient(place: place, timeout: timeout).ask(.status)
        var status = try JSON.decode(MountStatus.self, from: answer.body)
        // The server may live in another namespace of pids and mounts: ours are what the caller can use.
        status.mountpoint = place.path
        status.pid = answer.pid
        return (answer.pid, status)
    }
}
