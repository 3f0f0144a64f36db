internal import LinuxSystem
internal import Synchronization
internal import SystemPackage

/// One layer: its root, held open, and what the layer allows.
///
/// A layer's path is resolved once, at mount. Whatever is mounted over it later, and wherever it is renamed
/// to, the union goes on with the directory that it was given.
final class Layer: Sendable {
    /// The position among the layers; 0 is the topmost.
    let index: Int
    /// The path that the user gave, made absolute.
    let path: String
    let isUpper: Bool
    /// Whether nothing may change in it: by the user's word, or because its filesystem is mounted read-only.
    let isReadOnly: Bool
    let isOCI: Bool
    /// The mode that the user asked for. nil: `auto`.
    let requestedCoherence: CoherenceMode?
    /// The root directory, O_PATH.
    let root: OwnedDescriptor
    /// The filesystem of the root directory.
    let filesystem: FilesystemFacts
    let rootStatus: FileStatus
    /// Whether its directories can hold the union's marks: the filesystem has extended attributes. Found out
    /// for the upper only.
    let keepsMarks: Bool
    /// The error with which the layer failed last, if it hasn't answered since. 0: none.
    private let lastFailure = Atomic<Int32>(0)
    /// What has become of the layer's own path since, as far as it is watched. nil: the path leads here.
    private let rootChangeNote = Mutex<RootChange?>(nil)
    /// Whether overlayfs wrote in the layer: then any file there may be one of its metacopies.
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

    /// Opens the directory at `path`, O_PATH. ENOENT: it isn't here. ENOTDIR, ELOOP: something else stands
    /// here, or on the way here, and hides what lower layers have.
    func openDirectory(at path: PathRef) throws(Errno) -> OwnedDescriptor {
        try root.descriptor.openBeneath(path, flags: [.path, .directory, .noFollow])
    }

    /// Opens what stands at `path`, O_PATH; a symbolic link itself and not its target. ENOENT: nothing stands
    /// there.
    func openObject(at path: PathRef) throws(Errno) -> OwnedDescriptor {
        try root.descriptor.openBeneath(path, flags: [.path, .noFollow])
    }

    /// Notes that the layer itself failed, or, with nil, that it answered.
    func note(failure: Errno?) {
        let code = failure?.rawValue ?? 0
        guard lastFailure.load(ordering: .relaxed) != code else { return }
        lastFailure.store(code, ordering: .relaxed)
    }

    func note(rootChange: RootChange?) { rootChangeNote.withLock { $0 = rootChange } }

    var rootChange: RootChange? { rootChangeNote.withLock { $0 } }

    /// Notes the marks of a directory of the layer: they may show that overlayfs wrote here.
    func note(_ marks: Marks) {
        if marks.contains(.copiedUp), !isCopiedUp.load(ordering: .relaxed) {
            isCopiedUp.store(true, ordering: .relaxed)
        }
    }

    /// Whether a regular file of that status must be asked for overlayfs's metacopy mark.
    ///
    /// Overlayfs marks each directory that it copies something up to, and each above that up to the upper's
    /// root. So in a layer that it wrote, every file is asked. Elsewhere only other means (an archive, a
    /// copy) can have brought a marked file. Such a file has a size and no data, so the filesystem counts
    /// fewer blocks than its size would take. Attributes may count as one block where there is no data; only
    /// files of less than that are missed.
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
    /// Whether the layer itself fails, and the error says nothing of what was asked for: a server that has
    /// gone, a disk, a network.
    var isLayerFailure: Bool {
        switch self {
        case .socketNotConnected, .ioError, .staleNFSFileHandle, .timedOut, .connectionAbort: true
        default: false
        }
    }
}
