internal import CFuse3
internal import CFuseShims
internal import Glibc
internal import LinuxSystem
internal import UnionCore

// The engine's values in the layouts of libfuse and the kernel.

extension stat {
    init(_ attributes: Attributes) {
        self.init()
        st_ino = ino_t(attributes.inode)
        st_mode = attributes.mode
        st_nlink = nlink_t(attributes.linkCount)
        st_uid = attributes.uid
        st_gid = attributes.gid
        // libfuse passes the lower half on, in which makedev(3) and the kernel's new_encode_dev agree.
        st_rdev = dev_t(attributes.specialDevice)
        st_size = off_t(attributes.size)
        st_blocks = blkcnt_t(truncatingIfNeeded: attributes.blocks)
        st_blksize = blksize_t(attributes.blockSize)
        st_atim = timespec(attributes.accessTime)
        st_mtim = timespec(attributes.modificationTime)
        st_ctim = timespec(attributes.changeTime)
    }
}

extension timespec {
    init(_ time: Timestamp) {
        self.init(tv_sec: Int(time.seconds), tv_nsec: Int(time.nanoseconds))
    }
}

extension Timestamp {
    init(_ time: timespec) {
        self.init(seconds: Int64(time.tv_sec), nanoseconds: UInt32(truncatingIfNeeded: time.tv_nsec))
    }
}

extension fuse_entry_param {
    init(_ entry: Entry) {
        self.init()
        ino = entry.node.rawValue
        generation = entry.generation
        attr = stat(entry.attributes)
        entry_timeout = entry.freshness.entrySeconds
        attr_timeout = entry.freshness.attributeSeconds
    }
}

extension sfs_attributes {
    init(_ attributes: Attributes) {
        self.init()
        inode = attributes.inode
        size = UInt64(bitPattern: attributes.size)
        blocks = attributes.blocks
        access_seconds = UInt64(bitPattern: attributes.accessTime.seconds)
        access_nanoseconds = attributes.accessTime.nanoseconds
        modification_seconds = UInt64(bitPattern: attributes.modificationTime.seconds)
        modification_nanoseconds = attributes.modificationTime.nanoseconds
        change_seconds = UInt64(bitPattern: attributes.changeTime.seconds)
        change_nanoseconds = attributes.changeTime.nanoseconds
        mode = attributes.mode
        link_count = attributes.linkCount
        uid = attributes.uid
        gid = attributes.gid
        special_device = UInt32(truncatingIfNeeded: attributes.specialDevice)
        block_size = attributes.blockSize
    }
}

extension sfs_entry_reply {
    init(_ entry: Entry) {
        self.init()
        node = entry.node.rawValue
        generation = entry.generation
        (entry_seconds, entry_nanoseconds) = split(entry.freshness.entrySeconds)
        (attribute_seconds, attribute_nanoseconds) = split(entry.freshness.attributeSeconds)
        attributes = sfs_attributes(entry.attributes)
    }
}

/// A time to live in the kernel's two parts, seconds and nanoseconds. What doesn't fit is for ever.
private func split(_ seconds: Double) -> (UInt64, UInt32) {
    guard seconds > 0 else { return (0, 0) }
    guard seconds < Double(UInt64.max) else { return (.max, 0) }
    let whole = seconds.rounded(.down)
    return (UInt64(whole), UInt32((seconds - whole) * 1e9))
}

extension sfs_open_reply {
    init(_ file: OpenedFile) {
        var flags = file.needsNoFlush ? SFS_OPEN_NOFLUSH : 0
        var backing: Int32 = 0
        switch file.io {
        case .passthrough(let id):
            // The kernel takes few flags besides, and none about position: such files are regular.
            flags |= SFS_OPEN_PASSTHROUGH
            backing = id
        case .mapped(let id):
            flags |= SFS_OPEN_PASSTHROUGH | SFS_OPEN_DIRECT_IO | SFS_OPEN_PARALLEL_DIRECT_WRITES
            backing = id
        case .cached(let keepsPages):
            if keepsPages { flags |= SFS_OPEN_KEEP_CACHE }
        case .direct:
            // The real file orders its writers itself. A writer that blocks must not hold up the others.
            flags |= SFS_OPEN_DIRECT_IO | SFS_OPEN_PARALLEL_DIRECT_WRITES
            if file.isStream { flags |= SFS_OPEN_STREAM | SFS_OPEN_NONSEEKABLE }
        }
        self.init(handle: file.handle.rawValue, open_flags: flags, backing_id: backing)
    }

    /// An open directory, of which the kernel keeps nothing.
    init(directory: HandleID) {
        self.init(handle: directory.rawValue, open_flags: 0, backing_id: 0)
    }
}

extension statvfs {
    init(_ status: FileSystemStatus) {
        self.init()
        f_bsize = UInt(status.blockSize)
        f_frsize = UInt(status.fragmentSize)
        f_blocks = fsblkcnt_t(status.blocks)
        f_bfree = fsblkcnt_t(status.blocksFree)
        f_bavail = fsblkcnt_t(status.blocksAvailable)
        f_files = fsfilcnt_t(status.files)
        f_ffree = fsfilcnt_t(status.filesFree)
        f_namemax = UInt(status.nameLength)
    }
}
