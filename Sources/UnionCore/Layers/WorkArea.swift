internal import LinuxSystem
internal import Synchronization
internal import SystemPackage

/// Where things are prepared on the upper's filesystem before they are put in place in one step.
///
/// It is a directory below the work directory or, where none was given or it is on another filesystem, a hidden
/// one in the upper's root; it is made when it is first needed. What a crash left in it is removed at the next mount.
///
/// It also keeps what must outlive a mount: orphans that had to make room, and in the work directory the marks
/// on directories of an upper without extended attributes.
final class WorkArea: Sendable {
    private static var nameInWorkDirectory: PathRef { "switchfs" }
    /// In the staging directory.
    private static var nameOfOrphans: PathRef { "orphans" }
    private static var asidePrefix: PathRef { "replaced-" }
    static var nameOfMarks: PathRef { "marks" }
    static var nameOfNewMarks: PathRef { "marks.new" }

    private let parent: OwnedDescriptor?
    /// The upper's root, where the staging directory is in it.
    private let upper: Layer?
    private let isInUpper: Bool
    private let opened = Mutex<FileDescriptor?>(nil)
    private let openedOrphans = Mutex<FileDescriptor?>(nil)
    /// Marks on the upper's directories, where these can't hold them themselves.
    private let table: MarkTable?
    private let turn = Mutex(())
    /// Held while a directory is opened for the first time; goes before the descriptors' own locks.
    private let opening = Mutex(())
    private let serial = Atomic<UInt32>(0)

    init(path: String?, upper: Layer?) throws(UnionOpenError) {
        self.upper = upper
        table = upper.flatMap { $0.keepsMarks ? nil : MarkTable(device: $0.rootStatus.device) }
        guard let path else {
            parent = nil
            isInUpper = true
            return
        }
        do {
            let name = OwnedName(path)
            let opened = try FileDescriptor.workingDirectory.openPlain(name.ref, flags: [.path, .directory])
            let status = try opened.descriptor.status()
            // Names move from one to the other by rename, which doesn't cross mounts.
            isInUpper = upper.map { !Self.isBeside(status, $0.rootStatus) } ?? false
            parent = consume opened
        } catch {
            throw UnionOpenError("work directory \(path): \(error)")
        }
    }

    /// The upper's filesystem can be unmounted once nobody has the union any more.
    deinit {
        Self.closeKept(opened)
        Self.closeKept(openedOrphans)
    }

    private static func closeKept(_ kept: borrowing Mutex<FileDescriptor?>) {
        if let descriptor = kept.withLock({ $0.take() }) { _ = OwnedDescriptor(owning: descriptor) }
    }

    private static func isBeside(_ work: FileStatus, _ upper: FileStatus) -> Bool {
        work.device == upper.device && work.mountID == upper.mountID
    }

    /// In the upper's root, and hidden there. Filesystems that take no attributes may take no dots either
    /// (bpffs).
    private var nameInUpper: PathRef { table == nil ? ".switchfs" : "switchfs-work" }

    /// Whether the name in the upper's root is the union's own.
    func isReserved(_ name: PathRef) -> Bool { isInUpper && name == nameInUpper }

    private var parentDescriptor: FileDescriptor? {
        switch parent {
        case .some(let parent): parent.descriptor
        case nil: nil
        }
    }

    /// The staging directory. Its descriptor stays open for the life of the union.
    func directory() throws(Errno) -> FileDescriptor {
        try keptOpen(opened) { () throws(Errno) in
            let directory = try open(isInUpper, create: true)
            clean(directory.descriptor)
            return directory
        }
    }

    /// Removes what a crash has left, if anything was ever prepared here.
    func cleanIfThere() {
        if existingStaging() != nil { _ = try? directory() }
    }

    /// Where orphans are kept that had to make room.
    func orphans() throws(Errno) -> FileDescriptor {
        let area = try directory()
        return try keptOpen(openedOrphans) { () throws(Errno) in
            try Self.open(Self.nameOfOrphans, in: area, create: true)
        }
    }

    /// The same where it is there already: looking makes nothing.
    func existingOrphans() -> OwnedDescriptor? {
        guard let area = try? open(isInUpper, create: false) else { return nil }
        return try? Self.open(Self.nameOfOrphans, in: area.descriptor, create: false)
    }

    /// Where renames under way are written down, which may be on another filesystem than the upper. EROFS: nowhere.
    func journal(create: Bool) throws(Errno) -> OwnedDescriptor {
        try open(parentDescriptor == nil, create: create)
    }

    /// There is such a place.
    var takesJournals: Bool { parentDescriptor != nil || upper?.isReadOnly == false }

    /// The staging directory where it is there already, with all that is in it.
    func existingStaging() -> OwnedDescriptor? { try? open(isInUpper, create: false) }

    /// The table of marks, read by now; nil: the upper's directories hold their own.
    var marks: MarkTable? {
        guard let table, let upper else { return nil }
        table.load(upper: upper.root.descriptor) {
            parentDescriptor == nil ? nil : try? open(false, create: !upper.isReadOnly)
        }
        return table
    }

    private func keptOpen(
        _ kept: borrowing Mutex<FileDescriptor?>, _ open: () throws(Errno) -> OwnedDescriptor
    ) throws(Errno) -> FileDescriptor {
        if let directory = kept.withLock({ $0 }) { return directory }
        // One opens and cleans: a second one would take away what the first user has put there by then.
        return try opening.withLock { _ throws(Errno) in
            if let directory = kept.withLock({ $0 }) { return directory }
            let made = try open().release()
            kept.withLock { $0 = made }
            return made
        }
    }

    private func open(_ inUpper: Bool, create: Bool) throws(Errno) -> OwnedDescriptor {
        guard let base = inUpper ? upper?.root.descriptor : parentDescriptor else {
            throw .readOnlyFileSystem
        }
        return try Self.open(
            inUpper ? nameInUpper : Self.nameInWorkDirectory, in: base, create: create)
    }

    private static func open(
        _ name: PathRef, in base: FileDescriptor, create: Bool
    ) throws(Errno) -> OwnedDescriptor {
        do {
            if create { try base.makeDirectory(at: name, mode: 0o700) }
        } catch .fileExists {
            // From earlier.
        }
        return try base.openBeneath(name, flags: [.readOnly, .directory, .noFollow])
    }

    /// Runs what must find a name as it looked a moment ago. Nothing else takes this lock, and it is not taken
    /// again inside.
    func oneAtATime(_ body: () throws(Errno) -> Void) throws(Errno) {
        let result: Result<Void, Errno> = turn.withLock { _ in
            Result { () throws(Errno) in try body() }
        }
        try result.get()
    }

    /// A name that no other thing in the staging directory has.
    func temporaryName() -> OwnedName { OwnedName(uniqueName("switchfs-")) }

    /// The same for what may have to come back after a crash.
    func asideName() -> [UInt8] { uniqueName(Self.asidePrefix) }

    /// The same for the record of a rename, where `journal` is.
    func recordName() -> [UInt8] { uniqueName(RenameJournal.prefix) }

    private func uniqueName(_ prefix: PathRef) -> [UInt8] {
        let serial = serial.add(1, ordering: .relaxed).newValue
        return prefix.array + Array("\(ServerIdentity.pid)-\(serial)".utf8)
    }

    /// Removes what was put aside under the name, whatever it is. What can't be removed stays; it is out of
    /// the union's sight, and the next mount tries again.
    func discard(_ name: PathRef) {
        guard let directory = opened.withLock({ $0 }) else { return }
        discard(name, in: directory)
    }

    /// The same in a directory of the upper or the work area.
    func discard(_ name: PathRef, in directory: FileDescriptor) {
        if let table, let status = try? directory.status(at: name) { table.drop(status) }
        Self.remove(name, in: directory)
    }

    private func clean(_ directory: FileDescriptor) {
        var stream = DirectoryStream(reading: directory)
        var names: [[UInt8]] = []
        while let entry = try? stream.next() {
            if entry.name.isDots || isKept(entry.name) { continue }
            names.append(entry.name.array)
        }
        for name in names {
            let name = OwnedName(name)
            Self.remove(name.ref, in: directory)
        }
    }

    private func isKept(_ name: PathRef) -> Bool {
        name == Self.nameOfOrphans || name == Self.nameOfMarks || name.hasPrefix(RenameJournal.prefix)
            || name.hasPrefix(Self.asidePrefix)
    }

    /// Removes a tree. Goes down by a list and not by calls: how deep it is isn't ours to say.
    private static func remove(_ name: PathRef, in directory: FileDescriptor) {
        if (try? directory.unlink(at: name)) != nil { return }
        var pending = [name.array]
        var attempts = 0
        while let path = pending.last, attempts < 100_000 {
            attempts += 1
            let current = OwnedName(path)
            if (try? directory.removeDirectory(at: current.ref)) != nil {
                pending.removeLast()
                continue
            }
            let found = children(of: path, in: directory)
            pending += found
            // Emptied by that, or never to be removed.
            if found.isEmpty && (try? directory.removeDirectory(at: current.ref)) == nil { return }
            if found.isEmpty { pending.removeLast() }
        }
    }

    /// Unlinks what can be unlinked in the directory at `path`, and returns the paths of what is left.
    private static func children(of path: [UInt8], in directory: FileDescriptor) -> [[UInt8]] {
        let current = OwnedName(path)
        guard
            let opened = try? directory.openBeneath(current.ref, flags: [.readOnly, .directory, .noFollow])
        else { return [] }
        var stream = DirectoryStream(reading: opened.descriptor)
        var left: [[UInt8]] = []
        while let entry = try? stream.next() {
            if entry.name.isDots || (try? opened.descriptor.unlink(at: entry.name)) != nil { continue }
            left.append(path.appending(entry.name))
        }
        return left
    }
}
