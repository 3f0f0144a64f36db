internal import LinuxSystem
internal import Synchronization
internal import SystemPackage

/// Where things are prepared on the upper's filesystem before they are put in place in one step.
///
/// It is a directory below the work directory or, where none was given, `.switchfs` in the upper's root; it is
/// made when it is first needed. What a crash left in it is removed at that time.
final class WorkArea: Sendable {
    /// In the upper's root, and hidden there, where no work directory was given.
    static var nameInUpper: PathRef { ".switchfs" }
    private static var nameInWorkDirectory: PathRef { "switchfs" }

    private let parent: OwnedDescriptor?
    /// The upper's root, where there is no work directory.
    private let upper: Layer?
    private let opened = Mutex<FileDescriptor?>(nil)
    private let serial = Atomic<UInt32>(0)

    init(path: String?, upper: Layer?) throws(UnionOpenError) {
        self.upper = upper
        guard let path else {
            parent = nil
            return
        }
        do {
            let name = OwnedName(path)
            parent = try FileDescriptor.workingDirectory.openPlain(name.ref, flags: [.path, .directory])
        } catch {
            throw UnionOpenError("work directory \(path): \(error)")
        }
    }

    var isInUpper: Bool { parentDescriptor == nil }

    private var parentDescriptor: FileDescriptor? {
        switch parent {
        case .some(let parent): parent.descriptor
        case nil: nil
        }
    }

    /// The staging directory. Its descriptor stays open for the life of the union.
    func directory() throws(Errno) -> FileDescriptor {
        if let directory = opened.withLock({ $0 }) { return directory }
        let made = try make().release()
        let kept = opened.withLock { opened in
            opened = opened ?? made
            return opened ?? made
        }
        // Another thread may have been first: then ours isn't needed.
        if kept != made { _ = OwnedDescriptor(owning: made) }
        return kept
    }

    private func make() throws(Errno) -> OwnedDescriptor {
        guard let base = parentDescriptor ?? upper?.root.descriptor else { throw .readOnlyFileSystem }
        let name = isInUpper ? Self.nameInUpper : Self.nameInWorkDirectory
        do {
            try base.makeDirectory(at: name, mode: 0o700)
        } catch .fileExists {
            // From an earlier mount.
        }
        let directory = try base.openBeneath(name, flags: [.readOnly, .directory, .noFollow])
        clean(directory.descriptor)
        return directory
    }

    /// A name that no other thing in the staging directory has.
    func temporaryName() -> OwnedName {
        let serial = serial.add(1, ordering: .relaxed).newValue
        return OwnedName("\(ServerIdentity.pid)-\(serial)")
    }

    /// Removes what was put aside under the name, whatever it is. What can't be removed stays; it is out of
    /// the union's sight, and the next mount tries again.
    func discard(_ name: PathRef) {
        guard let directory = opened.withLock({ $0 }) else { return }
        Self.remove(name, in: directory)
    }

    private func clean(_ directory: FileDescriptor) {
        var stream = DirectoryStream(reading: directory)
        var names: [[UInt8]] = []
        while let entry = try? stream.next() {
            if !entry.name.isDots { names.append(unsafe Array(entry.name.bytes)) }
        }
        for name in names {
            let name = OwnedName(name)
            Self.remove(name.ref, in: directory)
        }
    }

    /// Removes a tree. Goes down by a list and not by calls: how deep it is isn't ours to say.
    private static func remove(_ name: PathRef, in directory: FileDescriptor) {
        if (try? directory.unlink(at: name)) != nil { return }
        var pending = [unsafe Array(name.bytes)]
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
            left.append(unsafe path + [0x2f] + Array(entry.name.bytes))
        }
        return left
    }
}
