internal import LinuxSystem

/// Which real object a node stands for.
///
/// An inode number is used again after its object's end. If the filesystem keeps birth times, the birth time
/// tells the successor from the object. Its clock may stand still while a file goes and a link comes, so the
/// kind counts, too.
struct ObjectIdentity: Equatable, Sendable {
    let device: UInt64
    let inode: UInt64
    let born: BornAs

    /// `filesystem` nil: an ordinary one. A copy-up of overlayfs gives its object another birth time, while
    /// the inode number stays.
    init(_ status: FileStatus, on filesystem: FilesystemFacts?) {
        self.init(
            device: status.device, inode: status.inode,
            born: filesystem?.type == .overlay
                ? BornAs(status.kind) : BornAs(status.kind, at: status.born))
    }

    init(device: UInt64, inode: UInt64, born: BornAs) {
        self.device = device
        self.inode = inode
        self.born = born
    }

    /// Whether `status` is of this very object.
    func matches(_ status: FileStatus) -> Bool {
        inode == status.inode && device == status.device
            && born == (born.hasTime ? BornAs(status.kind, at: status.born) : BornAs(status.kind))
    }

    /// A hash of the identity. A user that makes files must not know `seed`.
    func hash(_ seed: UInt64) -> UInt64 { (inode ^ seed ^ device << 40).mixed }
}

/// What an object is, and since when, in one word: units of 16 ns, and the kind in the four lowest bits.
struct BornAs: Equatable, Sendable {
    let word: Int64

    init(word: Int64) { self.word = word }

    /// An object whose birth time isn't known.
    init(_ kind: FileKind) { word = Int64(kind.rawValue) }

    init(_ kind: FileKind, at time: Timestamp) {
        let (whole, isTooFar) = time.seconds.multipliedReportingOverflow(by: 1_000_000_000)
        // Beyond the year 2262 the lowest bits of the seconds suffice.
        let born = isTooFar ? time.seconds << 4 : whole &+ Int64(time.nanoseconds)
        word = born & ~15 | Int64(kind.rawValue)
    }

    var kind: FileKind { FileKind(rawValue: UInt8(truncatingIfNeeded: word & 15)) ?? .regular }
    var isDirectory: Bool { word & 15 == Int64(FileKind.directory.rawValue) }
    /// Whether the birth time is known.
    var hasTime: Bool { word & ~15 != 0 }
}
