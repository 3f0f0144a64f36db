internal import LinuxSystem
internal import SystemPackage

/// The real directories that back one union directory at this moment, open (O_PATH), top to bottom.
///
/// A view is made for one request and closed after it, or is lent by a `SharedView`. It shows what the layers
/// hold now.
struct DirectoryView: ~Copyable {
    private(set) var backings: [Backing]
    /// The shared view that has the descriptors. nil: they are the view's own.
    let shared: SharedView?
    private var ownFingerprint: UInt64?
    /// Whether these are the directories that were reported a moment ago. By now others may stand there.
    var isHeld = false
    /// The thread that they are held for. 0: it isn't known.
    var heldFor: Int32 = 0
    /// The error with which the next layer failed. Neither it nor those below it are in here, though they may
    /// back the directory.
    var failure: Errno?

    init() {
        backings = []
        shared = nil
    }

    init(_ shared: SharedView) {
        backings = shared.backings
        self.shared = shared
    }

    deinit {
        for backing in backings where backing.isOwned {
            _ = OwnedDescriptor(owning: backing.directory)
        }
    }

    /// Leaves the descriptors to the calling code.
    consuming func release() -> [Backing] {
        var released = backings
        for index in released.indices { released[index].isOwned = false }
        backings = []
        return released
    }

    /// Notes the marks on each directory, for as long as the view is cached.
    mutating func noteMarks(_ marks: (Backing) -> Marks) {
        for index in backings.indices { backings[index].marks = marks(backings[index]) }
    }

    /// The shared view whose filter tells which of these directories may have a name. nil: there is none.
    var filter: SharedView? {
        guard let shared, shared.names != nil, shared.backings.count == backings.count else { return nil }
        return shared
    }

    /// Looks once at what the topmost directory is, for many looks in a row. Most views have no other.
    mutating func noteTop() {
        guard let top = backings.first, top.part == nil else { return }
        backings[0].part = try? top.lookedAtPart()
    }

    /// `backingsFingerprint` as it was when the shared view was made, or at `keepFingerprint`.
    var keptFingerprint: UInt64? { ownFingerprint ?? shared?.fingerprint }

    /// Computes the fingerprint once, for many looks in a row.
    mutating func keepFingerprint() throws(Errno) {
        if keptFingerprint == nil { ownFingerprint = try backingsFingerprint() }
    }

    var isEmpty: Bool { backings.isEmpty }
    var count: Int { backings.count }

    mutating func append(_ layer: Layer, _ directory: consuming OwnedDescriptor) {
        backings.append(
            Backing(
                layer: layer, directory: directory.release(), isRoot: false, marks: nil,
                isOwned: true))
    }

    mutating func appendRoot(of layer: Layer) {
        backings.append(
            Backing(
                layer: layer, directory: layer.root.descriptor, isRoot: true, marks: nil,
                isOwned: false))
    }

    /// Puts the upper's directory on top, after its skeleton was made.
    mutating func insertUpper(_ layer: Layer, _ directory: consuming OwnedDescriptor) {
        backings.insert(
            Backing(
                layer: layer, directory: directory.release(), isRoot: false, marks: nil,
                isOwned: true), at: 0)
    }

    /// Takes the upper's directory out again, as the union doesn't show it.
    mutating func removeUpper() {
        guard let top = backings.first, top.layer.isUpper, !top.isRoot else { return }
        backings.removeFirst()
        if top.isOwned { _ = OwnedDescriptor(owning: top.directory) }
    }

    /// Whether the layer's directory is on a pseudo filesystem. nil: that isn't known without a look.
    func isPseudo(in layer: Layer) -> Bool? { shared?.isPseudo(in: layer) }

    /// The directory of `layer`. nil: that layer doesn't back this one.
    func directory(in layer: Int) -> FileDescriptor? {
        for backing in backings where backing.layer.index == layer { return backing.directory }
        return nil
    }
}
