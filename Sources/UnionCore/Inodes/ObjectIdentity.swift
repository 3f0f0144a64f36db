internal import LinuxSystem

/// Which real object a node stands for.
///
/// Inode numbers are used again after an object's end; the birth time tells the successor from it, where
/// the filesystem keeps one.
struct ObjectIdentity: Hashable, Sendable {
    let device: UInt64
    let inode: UInt64
    let birth: Timestamp
    /// 0, or the mark of a second place of one directory (a bind mount inside a layer): a directory is one
    /// dentry to the kernel, so its places are different nodes.
    var place: UInt32 = 0

    /// `filesystem` nil: an ordinary one. A copy-up of overlayfs gives its object another birth time, while
    /// the inode number stays.
    init(_ status: FileStatus, on filesystem: FilesystemFacts?, place: UInt32 = 0) {
        device = status.device
        inode = status.inode
        birth = filesystem?.type == .overlay ? Self.noBirth : status.born
        self.place = place
    }

    private static var noBirth: Timestamp { Timestamp(seconds: 0, nanoseconds: 0) }

    /// Whether `status` is of this very object.
    func matches(_ status: FileStatus) -> Bool {
        inode == status.inode && device == status.device
            && (birth == status.born || birth == Self.noBirth)
    }
}
