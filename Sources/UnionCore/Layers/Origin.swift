internal import LinuxSystem
internal import SystemPackage

/// Which lower directory a skeleton stands for: what is written on the skeleton.
///
/// It is text: the version, the filesystem, the object on it, and the root of the layer that it was found in.
/// That root is for people only, as the next mount may give a layer by another path. The directory itself is
/// found again at the skeleton's path: it is the origin if its own record is equal.
struct OriginRecord: Equatable, Sendable {
    /// The filesystem's type and id, and the boot if neither outlives it.
    let filesystem: String
    /// `h` and the file handle; `i`, inode number and birth time; or `n` if only the name tells.
    let object: String
    let layerPath: String

    private static let version: Substring = "2"
    private static let byName = "n"

    /// Makes the record of a lower's directory. Throws statfs(2)'s errors if it has gone.
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

    /// Reads a record back. If it makes no sense to this version, only the name tells.
    init(decoding text: [UInt8]) {
        let text = String(decoding: text, as: UTF8.self)
        let parts = text.split(separator: " ", maxSplits: 3, omittingEmptySubsequences: false)
        guard parts.count == 4, parts[0] == Self.version else {
            (filesystem, object, layerPath) = ("-", Self.byName, "")
            return
        }
        (filesystem, object, layerPath) = (String(parts[1]), String(parts[2]), String(parts[3]))
    }

    /// Whether any other directory of that path is taken for the origin.
    var isKnownByNameAlone: Bool { object == Self.byName }

    var text: String { "\(Self.version) \(filesystem) \(object) \(layerPath.prefix(Self.longestPath))" }

    /// In characters: the attributes of an ext4 file share one block.
    private static let longestPath = 255

    /// Where it was, and what it was there, in words for people.
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

/// This boot of the machine. What lives in the kernel's memory doesn't outlive it, and its numbers start
/// over.
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
    /// Whether the kernel has one tree of the kind, whatever mount shows it. The id that statfs(2) gives is
    /// then the mount's, and another one after the last mount has gone. (cgroup v1 has many trees, bpffs one
    /// a mount.)
    fileprivate var isKernelTree: Bool { isPseudo && self != .cgroup && self != .bpf }

    fileprivate var livesInMemory: Bool { isPseudo || self == .temporary || self == .ramfs }

    /// Whether objects get new numbers while they live: when the kernel forgets them (proc), when a server
    /// does (FUSE), at a mount (FAT). If one object were taken for another, what it holds would be hidden.
    fileprivate var hasPassingIdentities: Bool {
        switch self {
        case .proc, .fuse, .fat, .exfat: true
        default: false
        }
    }

    private static var exfat: FileSystemType { FileSystemType(rawValue: 0x2011_bab0) }
}
