internal import LinuxSystem
internal import Synchronization
public import SystemPackage
public import UnionCore

/// Watches objects of layers by inotify(7): one instance, one thread, no time-outs.
///
/// Watching needs the right to read the object, as the credentials of the calling thread have it. Watches
/// may be had before the start; their events wait for it in the kernel's queue.
public final class Watcher: ChangeSource {
    private let instance: Instance
    private let thread = Mutex<WatchThread?>(nil)

    /// EMFILE when the user has too many inotify instances.
    public init() throws(Errno) { instance = try Instance() }

    deinit { stop() }

    /// Hands events to `sink`, which is kept, from now to the stop. EALREADY when started.
    public func start(_ sink: any ChangeSink) throws(Errno) {
        try thread.withLock { [instance] thread throws(Errno) in
            guard thread == nil else { throw .alreadyInProcess }
            thread = try WatchThread(instance)
            instance.setSink(sink)
        }
    }

    /// When this returns, the sink is called no more. Not to be called from within the sink.
    public func stop() {
        guard let thread = thread.withLock({ $0.take() }) else { return }
        thread.end()
        instance.setSink(nil)
    }

    public func watch(
        _ object: FileDescriptor, for node: NodeID, layer: Int, isDirectory: Bool
    ) -> Bool {
        instance.add(
            object, mask: isDirectory ? .directoryChanges : .fileChanges,
            owner: Owner(node: node, layer: layer))
    }

    public func unwatch(_ node: NodeID) { instance.remove(node) }

    public var isFull: Bool { instance.isFull }
    public func nextOldest() -> NodeID? { instance.nextOldest() }

    public func drain() { instance.drain() }

    public var watchCount: Int { instance.watchCount }
    public var eventCount: UInt64 { instance.eventCount }
    public var overflowCount: UInt64 { instance.overflowCount }
    /// How many watches could not be had.
    public var refusalCount: UInt64 { instance.refusalCount }
}
