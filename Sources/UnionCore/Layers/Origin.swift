internal import LinuxSystem
internal import SystemPackage

/// Which lower directory a skeleton stands for: what is written on the skeleton.
///
/// As text: the version, the filesystem, the object on it, and the root of the layer that it was found in,
/// which is for people only: layers may be given by another path at the next mount. The directory itself is
/// found again as the one of the skeleton's path whose own record is the same.
struct OriginRecord: Equatable, Sendable {
    /// The type, the filesystem's id, and the boot where neither outlives it.
    let filesystem: String
    /// `h` and the file handle; `i`, inode number and birth time; `n` where only the name tells.
    let object: String
    let layerPath: String

    private static let version: Substring = "2"
    private static let byName = "n"

    /// The record of a lower's directory. Errors: statfs(2)'s, when it is gone.
    init(of directory: FileDescriptor, _ status: FileStatus, in layer: Layer) throws(Errno) {
        let facts = try directory.fileSystem()
        let type = facts.type
        let id = type.isKernelTree ? 0 : facts.id
        let boot = type.livesInMemory ? BootIdentity.current : "-"
        filesystem = "\(String(type.rawValue, radix: 16)):\(String(id, radix: 16)):\(boot)"
        object = Self.object(directory, status, type)
        layerPath = layer.path
    }

    private static func object(
        _ directory: FileDescriptor, _ status: FileStatus, _ type: FileSystemType
    ) -> String {
        if type.hasPassingIdentities { return byName }
        if let handle = try? directory.fileHandle() { return "h" + handle.text }
        // An overlay that gives no handles may number its directories anew at its next mount.
        if type == .overlay { return byName }
        return "i\(status.inode).\(status.born.seconds).\(status.born.nanoseconds)"
    }

    /// Reads a record back. One that makes no sense to this version leaves the name to tell.
    init(decoding text: [UInt8]) {
        let text = String(decoding: text, as: UTF8.self)
        let parts = text.split(separator: " ", maxSplits: 3, omittingEmptySubsequences: false)
        guard parts.count == 4, parts[0] == Self.version else {
            (filesystem, object, layerPath) = ("-", Self.byName, "")
            return
        }
        (filesystem, object, layerPath) = (String(parts[1]), String(parts[2]), String(parts[3]))
    }

    /// Another directory of that path is taken for the same one.
    var isKnownByNameAlone: Bool { object == Self.byName }

    var text: String { "\(Self.version) \(filesystem) \(object) \(layerPath.prefix(Self.longestPath))" }

    /// Attributes of ext4 share one block.
    private static let longestPath = 255

    /// For people: where it was, and what it was there.
    var summary: String {
        let place = layerPath.isEmpty ? "a lower" : layerPath
        return object == Self.byName ? "\(place) by name" : "\(place) \(object)"
    }

    /// Whether `directory`, of this path in a lower layer, is the origin.
    func isOrigin(_ directory: FileDescriptor, in layer: Layer) -> Bool {
        if object == Self.byName { return true }
        guard let status = try? directory.status(),
            let other = try? OriginRecord(of: directory, status, in: layer)
        else { return false }
        return filesystem == other.filesystem && object == other.object
    }
}

/// This boot of the machine: what lives in the kernel's memory doesn't outlive it, and its numbers start over.
private enum BootIdentity {
    static let current: String = {
        guard
            let file = try? FileDescriptor.workingDirectory.openPlain(
                "/proc/sys/kernel/random/boot_id", flags: .readOnly),
            let bytes = try? file.descriptor.readToEnd()
        else { return "-" }
        return String(decoding: bytes.filter { $0 > 0x20 && $0 != 0x2d }, as: UTF8.self)
    }()
}

extension FileSystemType {
    /// The kernel has one tree of the kind, whatever mount shows it: the id that statfs(2) gives is the
    /// mount's, and another after the last one has gone. (cgroup v1 has many trees, bpffs one a mount.)
    fileprivate var isKernelTree: Bool { isPseudo && self != .cgroup && self != .bpf }

    fileprivate var livesInMemory: Bool { isPseudo || self == .temporary || self == .ramfs }

    /// Objects get new numbers while they live: when the kernel forgets them (proc), when a server does
    /// (FUSE), at a mount (FAT). Taking one for another would hide what it holds.
    fileprivate var hasPassingIdentities: Bool {
        switch self {
        case .proc, .fuse, .fat, .exfat: true
        default: false
        }
    }

    private static var exfat: FileSystemType { FileSystemType(rawValue: 0x2011_bab0) }
}
