import LayerWatch
import LinuxSystem
import Synchronization
import SystemPackage
import UnionCore

/// A directory, and a watcher of things in it that is running.
final class Scene: Sendable {
    private let directory: DirectoryBox
    let watcher: Watcher
    let recorder = Recorder()

    var path: String { directory.value.path }
    var root: FileDescriptor { directory.value.root }

    /// `started` false: events stay in the kernel's queue until `start`.
    init(in place: Place = .disk, started: Bool = true) throws {
        directory = DirectoryBox(try TestDirectory(in: place))
        watcher = try Watcher()
        if started { try start() }
    }

    deinit { watcher.stop() }

    func start() throws { try watcher.start(recorder) }

    /// Watches what is at `name` for a node; the empty name is the directory itself.
    @discardableResult
    func watch(_ name: PathRef, as node: UInt64, layer: Int = 0) throws(Errno) -> Bool {
        let object = try root.openBeneath(name, flags: [.path, .noFollow])
        return watcher.watch(
            object.descriptor, for: NodeID(rawValue: node), layer: layer,
            as: try object.descriptor.status().isDirectory ? .directory : .file)
    }

    func unwatch(_ node: UInt64) { watcher.unwatch(NodeID(rawValue: node)) }

    /// What was told since the last time, all events that have happened included: "node/layer kind name".
    /// Neighbours that say the same are one, for it depends on the moment whether they are two.
    func changes() -> [String] {
        watcher.drain()
        var changes = [String]()
        for change in recorder.take() where change != changes.last { changes.append(change) }
        return changes
    }

    /// The changes that `body` makes.
    func changes(by body: () throws(Errno) -> Void) throws(Errno) -> [String] {
        _ = changes()
        try body()
        return changes()
    }
}

private final class DirectoryBox: Sendable {
    let value: TestDirectory
    init(_ value: consuming TestDirectory) { self.value = value }
}

extension ChangeSink {
    var delay: UInt32 { 200 }
    func controllersChanged() {}
}

/// Writes down what it is told.
final class Recorder: ChangeSink {
    private let changes = Mutex<[String]>([])
    private let overflows = Atomic<Int>(0)
    private let mountChanges = Atomic<Int>(0)

    /// How often it was told that the table of mounts changed.
    var mountChangeCount: Int { mountChanges.load(ordering: .relaxed) }
    var overflowCount: Int { overflows.load(ordering: .relaxed) }

    func changed(_ event: ChangeEvent) {
        let name = event.name.isEmpty ? "" : " \(event.name)"
        let kind = event.kind.isOfEntry ? "entry" : "\(event.kind)"
        let change = "\(event.node.rawValue)/\(event.layer) \(kind)\(name)"
        changes.withLock { $0.append(change) }
    }

    func overflowed() { overflows.add(1, ordering: .relaxed) }
    func mountsChanged() { mountChanges.add(1, ordering: .relaxed) }

    func take() -> [String] {
        changes.withLock { changes in
            defer { changes = [] }
            return changes
        }
    }
}
