internal import LinuxSystem
internal import Synchronization
internal import SystemPackage

/// One layer: its root, held open, and what it allows.
///
/// A layer's path is resolved once, at mount. Whatever is mounted over it or renamed later, the union goes on
/// with the directory that it was given.
final class Layer: Sendable {
    /// Position among the layers; 0 is the topmost.
    let index: Int
    /// As the user gave it, absolute.
    let path: String
    let isUpper: Bool
    /// Nothing is changed in it: by the user's word, or because its filesystem is mounted read-only.
    let isReadOnly: Bool
    let isOCI: Bool
    /// The mode that the user asked for; nil: `auto`.
    let requestedCoherence: CoherenceMode?
    /// The root directory, O_PATH.
    let root: OwnedDescriptor
    /// The filesystem of the root directory.
    let filesystem: FilesystemFacts
    let rootStatus: FileStatus
    /// Directories of it can hold the union's marks: it has extended attributes. Asked of the upper only.
    let keepsMarks: Bool
    /// The error with which the layer failed last, as far as it hasn't answered since; 0: none.
    private let lastFailure = Atomic<Int32>(0)
    /// What has become of the layer's own path since, as far as somebody watches it; nil: it leads here.
    private let rootChangeNote = Mutex<RootChange?>(nil)
    /// Overlayfs wrote in the layer: any file there may be one of its metacopies.
    private let isCopiedUp: Atomic<Bool>

    init(
        _ configuration: LayerConfiguration, index: Int, isUpper: Bool, filesystems: Filesystems
    ) throws(UnionOpenError) {
        self.index = index
        self.isUpper = isUpper
        path = configuration.path
        isOCI = configuration.isOCI
        requestedCoherence = configuration.coherence
        let name = OwnedName(configuration.path)
        do {
            root = try FileDescriptor.workingDirectory.openPlain(name.ref, flags: [.path, .directory])
            rootStatus = try root.descriptor.status()
            filesystem = filesystems.facts(of: rootStatus.device, asking: root.descriptor)
            let isMountedReadOnly = try root.descriptor.fileSystem().isReadOnly
            isReadOnly = configuration.readOnly || isMountedReadOnly
            keepsMarks = !isUpper || root.descriptor.keepsMarks
            let marks = filesystem.isPseudo ? [] : root.descriptor.marks(at: "")
            isCopiedUp = Atomic(marks.contains(.copiedUp))
        } catch {
            throw UnionOpenError("layer \(configuration.path): \(error)")
        }
    }

    /// Opens the directory at `path`, O_PATH. ENOENT: not here. ENOTDIR, ELOOP: something else stands here,
    /// or on the way here, and hides what lower layers have.
    func openDirectory(at path: PathRef) throws(Errno) -> OwnedDescriptor {
        try root.descriptor.openBeneath(path, flags: [.path, .directory, .noFollow])
    }

    /// Opens what stands at `path`, O_PATH, a symbolic link itself and not its target.
    func openObject(at path: PathRef) throws(Errno) -> OwnedDescriptor {
        try root.descriptor.openBeneath(path, flags: [.path, .noFollow])
    }

    /// Notes that the layer itself failed, or, `nil`, that it answered.
    func note(failure: Errno?) {
        let code = failure?.rawValue ?? 0
        guard lastFailure.load(ordering: .relaxed) != code else { return }
        lastFailure.store(code, ordering: .relaxed)
    }

    func note(rootChange: RootChange?) { rootChangeNote.withLock { $0 = rootChange } }

    var rootChange: RootChange? { rootChangeNote.withLock { $0 } }

    /// A directory of the layer with such marks was met.
    func note(_ marks: Marks) {
        if marks.contains(.copiedUp), !isCopiedUp.load(ordering: .relaxed) {
            isCopiedUp.store(true, ordering: .relaxed)
        }
    }

    /// Whether a regular file of that status must be asked for overlayfs's metacopy mark.
    ///
    /// Overlayfs marks each directory that it copies something up to, and each above that up to the upper's root. So
    /// in a layer that it wrote every file is asked. Elsewhere a marked file can only have been brought by other means
    /// (an archive, a copy): it has a size and no data, so the filesystem counts fewer blocks than its size would take.
    /// What may count where there is no data is a block for the attributes, and no more than that is missed.
    func mayHaveMetacopy(_ status: FileStatus) -> Bool {
        guard status.size > 0, !filesystem.isPseudo else { return false }
        if isCopiedUp.load(ordering: .relaxed) { return true }
        return !filesystem.type.isRemote && status.blocks < (UInt64(status.size) + 511) / 512
    }

    var failure: Errno? {
        let code = lastFailure.load(ordering: .relaxed)
        return code == 0 ? nil : Errno(rawValue: code)
    }
}

extension Errno {
    /// The layer itself fails, and says nothing of what was asked for: a server that is gone, a disk, a network.
    var isLayerFailure: Bool {
        switch self {
        case .socketNotConnected, .ioError, .staleNFSFileHandle, .timedOut, .connectionAbort: true
        default: false
        }
    }
}
