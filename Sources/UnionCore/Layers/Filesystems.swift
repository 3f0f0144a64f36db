public import LinuxSystem
internal import Synchronization
internal import SystemPackage

/// What kind of filesystem an object lives on, as far as the union's rules ask. There is one of each, and
/// every node refers to its own.
final class FilesystemFacts: Sendable {
    /// `st_dev` of its objects.
    let device: UInt64
    let type: FileSystemType
    /// Whether its files act by the process that opens, reads or writes them. Then they have no passthrough
    /// and no page cache.
    let isPseudo: Bool
    /// Whether closing a file may bring an error or an action, so that it isn't left out.
    let needsFlush: Bool
    /// The position in the order of discovery: the layers' own filesystems first, top to bottom. Inode
    /// numbers are told apart by it.
    let index: Int

    init(device: UInt64, type: FileSystemType, index: Int) {
        self.device = device
        self.type = type
        isPseudo = type.isPseudo
        needsFlush = type.isRemote
        self.index = index
    }
}

/// The filesystems that layers' objects live on. A layer may hold mounts, so filesystems are found as they
/// are met.
final class Filesystems: Sendable {
    private let known = Mutex<[FilesystemFacts]>([])

    /// The filesystem that `object`, an open descriptor with the device number `device`, lives on.
    ///
    /// It calls statfs(2) once a filesystem, outside the lock: the call may block on a remote one.
    func facts(of device: UInt64, asking object: FileDescriptor) -> FilesystemFacts {
        if let facts = find(device) { return facts }
        let type = (try? object.fileSystem())?.type ?? FileSystemType(rawValue: 0)
        return known.withLock { known in
            if let facts = known.first(where: { $0.device == device }) { return facts }
            let facts = FilesystemFacts(device: device, type: type, index: known.count)
            known.append(facts)
            return facts
        }
    }

    /// The filesystem that an open object lives on.
    func facts(of object: FileDescriptor) throws(Errno) -> FilesystemFacts {
        facts(of: try object.status().device, asking: object)
    }

    /// The filesystem with the device number `device`. nil: it wasn't met yet.
    func find(_ device: UInt64) -> FilesystemFacts? {
        known.withLock { known in
            for facts in known where facts.device == device { return facts }
            return nil
        }
    }
}

extension FileSystemType {
    /// Whether its files are the kernel's own words and switches. The numbers that LinuxSystem doesn't have
    /// are from <linux/magic.h>.
    var isPseudo: Bool {
        switch self {
        case .proc, .sys, .cgroup, .cgroup2, .debug, .trace, .bpf, .security, .config, .efiVariables,
            .pstore, .selinux, .smack, .binaryFormats, .fuseControl, .resourceControl, .namespaces,
            .messageQueues, .nfsServer, .rpcPipes,
            .usbFunction, .xen:
            true
        default: false
        }
    }

    /// Whether the filesystem may still send data, or fail, when a file is closed.
    var isRemote: Bool {
        switch self {
        case .fuse, .nfs, .cifs, .smb2, .ninep, .ceph, .afs: true
        default: false
        }
    }

    static var selinux: FileSystemType { FileSystemType(rawValue: 0xf97c_ff8c) }
    static var smack: FileSystemType { FileSystemType(rawValue: 0x4341_5d53) }
    static var binaryFormats: FileSystemType { FileSystemType(rawValue: 0x4249_4e4d) }
    static var fuseControl: FileSystemType { FileSystemType(rawValue: 0x6573_5543) }
    static var resourceControl: FileSystemType { FileSystemType(rawValue: 0x765_5821) }
    static var namespaces: FileSystemType { FileSystemType(rawValue: 0x6e73_6673) }
    /// ipc/mqueue.c.
    static var messageQueues: FileSystemType { FileSystemType(rawValue: 0x1980_0202) }
    /// fs/nfsd/nfsctl.c and net/sunrpc/rpc_pipe.c.
    static var nfsServer: FileSystemType { FileSystemType(rawValue: 0x6e66_7364) }
    static var rpcPipes: FileSystemType { FileSystemType(rawValue: 0x6759_6969) }
    /// drivers/usb/gadget/function/f_fs.c.
    static var usbFunction: FileSystemType { FileSystemType(rawValue: 0x0a64_7361) }
    static var xen: FileSystemType { FileSystemType(rawValue: 0xabba_1974) }
    static var smb2: FileSystemType { FileSystemType(rawValue: 0xfe53_4d42) }
    static var ninep: FileSystemType { FileSystemType(rawValue: 0x0102_1997) }
    static var ceph: FileSystemType { FileSystemType(rawValue: 0x00c3_6400) }
    static var afs: FileSystemType { FileSystemType(rawValue: 0x5346_414f) }
    static var f2fs: FileSystemType { FileSystemType(rawValue: 0xf2f5_2010) }
    static var bcachefs: FileSystemType { FileSystemType(rawValue: 0xca45_1a4e) }
    static var zfs: FileSystemType { FileSystemType(rawValue: 0x2fc1_2fc1) }
    static var ramfs: FileSystemType { FileSystemType(rawValue: 0x8584_58f6) }
    static var erofs: FileSystemType { FileSystemType(rawValue: 0xe0f5_e1e2) }
    static var squashfs: FileSystemType { FileSystemType(rawValue: 0x7371_7368) }
    static var iso9660: FileSystemType { FileSystemType(rawValue: 0x9660) }
    static var fat: FileSystemType { FileSystemType(rawValue: 0x4d44) }

    /// The name that mount(8) knows it by. If the name isn't known here, the number in hexadecimal.
    public var name: String {
        Self.names.first { $0.type == self }?.name ?? "0x" + String(rawValue, radix: 16)
    }

    private static let names: [(type: FileSystemType, name: String)] = [
        (.ext4, "ext4"), (.xfs, "xfs"), (.btrfs, "btrfs"), (.temporary, "tmpfs"), (.overlay, "overlay"),
        (.f2fs, "f2fs"), (.bcachefs, "bcachefs"), (.zfs, "zfs"), (.ramfs, "ramfs"), (.erofs, "erofs"),
        (.squashfs, "squashfs"), (.iso9660, "iso9660"), (.fat, "vfat"), (.cgroup, "cgroup"),
        (.cgroup2, "cgroup2"), (.proc, "proc"), (.sys, "sysfs"), (.debug, "debugfs"), (.trace, "tracefs"),
        (.bpf, "bpf"), (.security, "securityfs"), (.config, "configfs"), (.efiVariables, "efivarfs"),
        (.pstore, "pstore"), (.selinux, "selinuxfs"), (.smack, "smackfs"), (.binaryFormats, "binfmt_misc"),
        (.fuseControl, "fusectl"), (.resourceControl, "resctrl"), (.namespaces, "nsfs"),
        (.messageQueues, "mqueue"), (.nfsServer, "nfsd"), (.rpcPipes, "rpc_pipefs"),
        (.usbFunction, "functionfs"),
        (.xen, "xenfs"),
        (.devpts, "devpts"), (.fuse, "fuse"), (.nfs, "nfs"), (.cifs, "cifs"), (.smb2, "smb3"),
        (.ninep, "9p"), (.ceph, "ceph"), (.afs, "afs"),
    ]
}
