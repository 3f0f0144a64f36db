internal import LinuxSystem
internal import Synchronization
public import SystemPackage
public import UnionCore

/// Tells when the path of a layer's root comes to lead elsewhere. The union goes on with the directory that
/// it holds, where no changes by that path arrive any more: a person has to know.
///
/// It has an inotify instance and a thread of its own. What happens beside a layer's root is no concern of
/// the union's, and a path that hangs must not hold up anything else.
public final class RootWatch: Sendable {
    private let loop: Loop
    private let thread: WorkerThread

    /// Starts the watch. The thread calls `tell` once for each change; a nil change means that the path leads
    /// back. EMFILE: there is no inotify instance left, and no other way either.
    public init(
        _ roots: [LayerRoot], tell: @escaping @Sendable (LayerRoot, RootChange?) -> Void
    ) throws(Errno) {
        let loop = try Loop(roots, tell)
        self.loop = loop
        thread = try WorkerThread.spawn(name: "switchfs-roots", stackSize: 256 * 1024) { loop.run() }
    }

    /// Ends the watch: it tells no more. A thread that a path keeps waiting ends when that path has an
    /// answer.
    public func stop() {
        loop.isStopped.store(true, ordering: .sequentiallyConsistent)
        loop.wakeUp.raise()
        thread.detach()
    }
}

private final class Loop: Sendable {
    let wakeUp: WakeUp
    let isStopped = Atomic<Bool>(false)
    private let roots: [LayerRoot]
    /// Whether every change brings an event.
    private let isComplete: Bool
    private let tell: @Sendable (LayerRoot, RootChange?) -> Void
    private let mounts: OwnedDescriptor
    private let events: Mutex<Events>
    private let poller: Mutex<Poller>

    init(_ roots: [LayerRoot], _ tell: @escaping @Sendable (LayerRoot, RootChange?) -> Void) throws(Errno) {
        let events = try Events(roots)
        let poller = try Poller()
        wakeUp = try WakeUp()
        mounts = try MountTableWatch.open()
        try poller.add(wakeUp.descriptor, .readable, token: 0)
        try poller.add(mounts.descriptor, .urgent, token: 1)
        try poller.add(events.inotify.descriptor, .readable, token: 2)
        isComplete = events.isComplete
        self.events = Mutex(events)
        self.poller = Mutex(poller)
        self.roots = roots
        self.tell = tell
    }

    func run() {
        var known = [RootLook](repeating: .asGiven, count: roots.count)
        while !isStopped.load(ordering: .sequentiallyConsistent) {
            for (index, root) in roots.enumerated() {
                let now = root.look()
                if now == .unknown || now == known[index] { continue }
                known[index] = now
                if isStopped.load(ordering: .sequentiallyConsistent) { return }
                if case .changed(let change) = now { tell(root, change) } else { tell(root, nil) }
            }
            if known.contains(where: { $0 != .asGiven }) { events.withLock { $0.watchCreations() } }
            while !waits() {}
        }
    }

    /// Waits for an event or the time to look. False: it concerns no root.
    private func waits() -> Bool {
        let timeout = isComplete ? -1 : Self.pathCheckInterval
        let mayConcern = poller.withLock { poller in
            let count = (try? poller.wait(timeout: timeout)) ?? 0
            return count == 0 || (0..<count).contains { poller[$0].token != 2 }
        }
        // Both are asked: what is left unread would end the next wait at once.
        return events.withLock { $0.concern() } || mayConcern
    }

    /// Milliseconds between looks where events don't tell of every change.
    private static var pathCheckInterval: Int32 { 5000 }
}

/// What inotify says of the directories on the way to the roots.
private struct Events: ~Copyable {
    var inotify: Inotify
    /// Whether all of them are watched.
    private(set) var isComplete = true
    /// The roots' own names.
    private let names: Set<UInt64>

    private let parents: Set<String>
    private var watchesCreations = false

    init(_ roots: [LayerRoot]) throws(Errno) {
        inotify = try Inotify(bufferSize: 4096)
        names = Set(roots.map { OwnedName($0.name).hash })
        parents = Set(roots.map { Self.parent(of: $0.path) })
        // A directory tells that it was moved. The directory that holds its name tells that another one has
        // the name.
        for parent in parents where !watch(parent, [.delete, .movedFrom, .movedTo]) { isComplete = false }
        for root in roots {
            var path = root.path
            while true {
                if !watch(path, .moveSelf) { isComplete = false }
                if path == "/" { break }
                path = Self.parent(of: path)
            }
        }
    }

    private static func parent(of path: String) -> String {
        guard let slash = path.lastIndex(of: "/"), slash != path.startIndex else { return "/" }
        return String(path[..<slash])
    }

    /// Watches what is made beside the roots. A root's name that is free may be given to another directory;
    /// before that, such events don't count.
    mutating func watchCreations() {
        if watchesCreations { return }
        watchesCreations = true
        for parent in parents { _ = watch(parent, .create) }
    }

    private func watch(_ path: String, _ mask: InotifyMask) -> Bool {
        let name = OwnedName(path)
        guard
            let directory = try? FileDescriptor.workingDirectory.openPlain(
                name.ref, flags: [.path, .directory])
        else { return false }
        let mask = mask.union([.addToMask, .onlyDirectory])
        return (try? inotify.watches.add(directory.descriptor, mask: mask)) != nil
    }

    /// Takes the events. Returns whether one of them may concern a root.
    mutating func concern() -> Bool {
        var isConcerned = false
        while let event = try? inotify.next() {
            isConcerned = isConcerned || event.name.isEmpty || names.contains(event.name.hash)
        }
        return isConcerned
    }
}
