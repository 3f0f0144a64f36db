internal import LinuxSystem
internal import Synchronization
internal import SystemPackage

/// Where objects are prepared on the upper's filesystem before they are put in place in one step.
///
/// It is a directory below the work directory. If no work directory was given, or that one is on another
/// filesystem, it is a hidden directory in the upper's root. It is made when it is first needed. The next
/// mount removes what a crash left in it.
///
/// It also keeps what must outlive a mount: orphans that had to make room and, in the work directory, the
/// marks on directories of an upper without extended attributes.
final class WorkArea: Sendable {
    private static var nameInWorkDirectory: PathRef { "switchfs" }
    /// This directory is in the staging directory.
    private static var nameOfOrphans: PathRef { "orphans" }
    private static var asidePrefix: PathRef { "replaced-" }
    static var nameOfMarks: PathRef { "marks" }
    static var nameOfNewMarks: PathRef { "marks.new" }

    private let parent: OwnedDescriptor?
    /// The upper, whose root may hold the staging directory.
    private let upper: Layer?
    private let isInUpper: Bool
    private let opened = Mutex<FileDescriptor?>(nil)
    private let openedOrphans = Mutex<FileDescriptor?>(nil)
    /// The marks on the upper's directories, if these can't hold marks themselves.
    private let table: MarkTable?
    private let turn = Mutex(())
    /// Held while a directory is opened for the first time. It is taken before the descriptors' own locks.
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
            // Names move from the one to the other by rename, which doesn't cross mounts.
            isInUpper = upper.map { !Self.isBeside(status, $0.rootStatus) } ?? false
            parent = consume opened
        } catch {
            throw UnionOpenError("work directory \(path): \(error)")
        }
    }

    /// Closes what was kept open, so that the upper's filesystem can be unmounted once the union has gone.
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

    /// The hidden directory's name in the upper's root. A filesystem that takes no attributes may take no
    /// dots either (bpffs).
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

    /// The directory for orphans that had to make room.
    func orphans() throws(Errno) -> FileDescriptor {
        let area = try directory()
        return try keptOpen(openedOrphans) { () throws(Errno) in
            try Self.open(Self.nameOfOrphans, in: area, create: true)
        }
    }

    /// The directory for orphans, if it is there already. Makes nothing.
    func existingOrphans() -> OwnedDescriptor? {
        guard let area = try? open(isInUpper, create: false) else { return nil }
        return try? Self.open(Self.nameOfOrphans, in: area.descriptor, create: false)
    }

    /// Opens the directory in which renames under way are written down. It may be on another filesystem than
    /// the upper. EROFS: there is none.
    func journal(create: Bool) throws(Errno) -> OwnedDescriptor {
        try open(parentDescriptor == nil, create: create)
    }

    /// Whether there is a place for `journal`.
    var takesJournals: Bool { parentDescriptor != nil || upper?.isReadOnly == false }

    /// The staging directory with all that is in it, if it is there already.
    func existingStaging() -> OwnedDescriptor? { try? open(isInUpper, create: false) }

    /// The table of marks, after it was read. nil: the upper's directories hold their own marks.
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
        // Only one thread opens and cleans. A second one would take away what a user of the first has put
        // there by then.
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
            // It is there from earlier.
        }
        return try base.openBeneath(name, flags: [.readOnly, .directory, .noFollow])
    }

    /// Runs a body that must find a name as it looked a moment ago. Nothing else takes this lock, and the
    /// body must not take it again.
    func oneAtATime(_ body: () throws(Errno) -> Void) throws(Errno) {
        let result: Result<Void, Errno> = turn.withLock { _ in
            Result { () throws(Errno) in try body() }
        }
        try result.get()
    }

    /// A name that nothing else in the staging directory has.
    func temporaryName() -> OwnedName { OwnedName(uniqueName("switchfs-")) }

    /// A new name in the staging directory for what may have to come back after a crash.
    func asideName() -> [UInt8] { uniqueName(Self.asidePrefix) }

    /// A new name for the record of a rename, in the directory of `journal`.
    func recordName() -> [UInt8] { uniqueName(RenameJournal.prefix) }

    private func uniqueName(_ prefix: PathRef) -> [UInt8] {
        let serial = serial.add(1, ordering: .relaxed).newValue
        return prefix.array + Array("\(ServerIdentity.pid)-\(serial)".utf8)
    }

    /// Removes what was put aside under the name, whatever it is. What can't be removed stays: the union
    /// doesn't show it, and the next mount tries again.
    func discard(_ name: PathRef) {
        guard let directory = opened.withLock({ $0 }) else { return }
        discard(name, in: directory)
    }

    /// Removes what is under the name in a directory of the upper or the work area, whatever it is.
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

    /// Removes a tree. It goes down by a list and not by recursive calls, as the tree may be of any depth.
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
            // The directory is empty now, or can't be removed at all.
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
