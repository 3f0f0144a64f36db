public import LinuxSystem
internal import Synchronization
public import SystemPackage
public import UnionCore

/// Watches objects of layers by inotify(7), with one instance and one thread.
///
/// To watch an object, the calling thread's credentials need the right to read it. Watches may be had before
/// the start; their events wait for it in the kernel's queue.
public final class Watcher: ChangeSource {
    private let instance: Instance
    private let thread = Mutex<WatchThread?>(nil)

    /// EMFILE: the user has too many inotify instances.
    public init() throws(Errno) { instance = try Instance() }

    deinit { stop() }

    /// Hands events to `sink`, which is kept, from now to the stop. EALREADY: it was started already.
    public func start(_ sink: any ChangeSink) throws(Errno) {
        try thread.withLock { [instance] thread throws(Errno) in
            guard thread == nil else { throw .alreadyInProcess }
            thread = try WatchThread(instance)
            instance.setSink(sink)
        }
    }

    /// Stops the watcher. When this returns, the sink is called no more. The sink must not call this.
    public func stop() {
        guard let thread = thread.withLock({ $0.take() }) else { return }
        thread.end()
        instance.setSink(nil)
    }

    /// Watches the object by inotify. False: the kernel refuses the watch.
    public func watch(
        _ object: FileDescriptor, for node: NodeID, layer: Int, as kind: WatchedKind
    ) -> Bool {
        let owner = Owner(node: node, layer: layer)
        if kind == .controlGroup { lookAtControllers(for: object, isRoot: node == .root) }
        return instance.add(object, mask: .changes(of: kind), owner: owner)
    }

    public func watchFile(named name: PathRef, for node: NodeID, layer: Int) -> Bool {
        instance.addFile(named: name, owner: Owner(node: node, layer: layer))
    }

    private func lookAtControllers(for cgroup: FileDescriptor, isRoot: Bool) {
        if isRoot { instance.controllers.addRoot(cgroup) }
        if instance.controllers.begin() { thread.withLock { $0?.wake() } }
    }

    public func narrow(_ directory: FileDescriptor, for node: NodeID, layer: Int) {
        instance.narrow(directory, owner: Owner(node: node, layer: layer))
    }

    public func unwatch(_ node: NodeID) { instance.remove(node) }

    public var isFull: Bool { instance.isFull }
    public func nextOldest() -> NodeID? { instance.nextOldest() }

    public func drain() { instance.drain() }
    public func checkControllers() { instance.checkControllers() }

    public var watchCount: Int { instance.watchCount }
    public var eventCount: UInt64 { instance.eventCount }
    public var overflowCount: UInt64 { instance.overflowCount }
    /// How many watches couldn't be had.
    public var refusalCount: UInt64 { instance.refusalCount }
}
