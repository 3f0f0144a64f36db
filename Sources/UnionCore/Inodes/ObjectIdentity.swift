internal import LinuxSystem

/// Which real object a node stands for.
///
/// Inode numbers are used again after an object's end; the birth time tells the successor from it, where
/// the filesystem keeps one.
struct ObjectIdentity: Equatable, Sendable {
    let device: UInt64
    let inode: UInt64
    let birth: BirthTime

    /// `filesystem` nil: an ordinary one. A copy-up of overlayfs gives its object another birth time, while
    /// the inode number stays.
    init(_ status: FileStatus, on filesystem: FilesystemFacts?) {
        self.init(
            device: status.device, inode: status.inode,
            birth: filesystem?.type == .overlay ? .unknown : BirthTime(status.born))
    }

    init(device: UInt64, inode: UInt64, birth: BirthTime) {
        self.device = device
        self.inode = inode
        self.birth = birth
    }

    /// Whether `status` is of this very object.
    func matches(_ status: FileStatus) -> Bool {
        inode == status.inode && device == status.device
            && (birth == BirthTime(status.born) || birth == .unknown)
    }

    /// Every bit of the number moves every bit of the hash; `seed` is nobody's to know who makes files.
    func hash(_ seed: UInt64) -> UInt64 {
        var hash = inode ^ seed ^ device << 40
        hash = (hash ^ hash >> 33) &* 0xff51_afd7_ed55_8ccd
        hash = (hash ^ hash >> 33) &* 0xc4ce_b9fe_1a85_ec53
        return hash ^ hash >> 33
    }
}

/// A birth time in units of 16 ns, which leaves four bits of a word for others: no filesystem makes two objects
/// of one number in that time.
struct BirthTime: Equatable, Sendable {
    /// The four low bits are zero.
    let word: Int64

    static let unknown = BirthTime(word: 0)

    init(word: Int64) { self.word = word & ~15 }

    init(_ time: Timestamp) {
        let (whole, isTooFar) = time.seconds.multipliedReportingOverflow(by: 1_000_000_000)
        // Beyond the year 2262 the lowest bits do.
        self.init(word: isTooFar ? time.seconds << 4 : whole &+ Int64(time.nanoseconds))
    }
}
