public import LinuxSystem
public import SystemPackage

/// Watches real objects of layers for the nodes that show them.
public protocol ChangeSource: Sendable {
    /// Watches an object, which may be O_PATH, for a node. A directory: the entries that come, go or move,
    /// and its own attributes. Anything else: its attributes and content.
    ///
    /// When this has returned, every later change of the object comes as an event. False when no watch can
    /// be had (ENOSPC, EACCES, …), which is counted. Adding a watch for an object, node and layer that has
    /// one already is fine and cheap.
    func watch(_ object: FileDescriptor, for node: NodeID, layer: Int, isDirectory: Bool) -> Bool

    /// The node's watches end: it is forgotten, or its attributes are no longer cached. An event that is on
    /// its way may still come.
    func unwatch(_ node: NodeID)

    /// So many watches are in use that no more are to be asked for before some are given back: other programs need some.
    var isFull: Bool { get }

    /// The node of another watch, from the one that was asked for first on, round and round; nil: there is none.
    func nextOldest() -> NodeID?

    /// Takes in every event that the kernel has queued so far, and changes of the table of mounts; callable from
    /// any thread, but not from within the sink. When it returns, all of them were handed to the sink.
    func drain()

    /// The kernel's watches there are now.
    var watchCount: Int { get }
    /// The events that were handed to the sink.
    var eventCount: UInt64 { get }
    /// How often the kernel's queue overflowed.
    var overflowCount: UInt64 { get }
}

/// A source that has watches for everybody.
extension ChangeSource {
    public var isFull: Bool { false }
    public func nextOldest() -> NodeID? { nil }
}

/// Takes changes in, in the order they happened. Must not block (it only queues), nor call the source.
public protocol ChangeSink: AnyObject, Sendable {
    func changed(_ event: ChangeEvent)

    /// Events were lost: anything that is watched may have changed.
    func overflowed()

    /// Something was mounted or unmounted, anywhere: watches say nothing of that.
    func mountsChanged()

    /// For how long the next events may be left to gather, in microseconds.
    var delay: UInt32 { get }
}

/// Something changed underneath.
public struct ChangeEvent {
    /// Whom the changed object was watched for.
    public var node: NodeID
    public var layer: Int
    public var kind: Kind
    /// The entry of the watched directory, valid during the call; empty for the object itself.
    public var name: PathRef

    public enum Kind: Sendable, Hashable {
        /// The name came, went or moved.
        case entry
        /// The same of a directory.
        case directoryCame, directoryWent
        /// The watched object's own attributes or content changed.
        case object
        /// The watched object was deleted, moved or unmounted.
        case gone

        public var isOfEntry: Bool { self != .object && self != .gone }
    }

    @inlinable
    public init(node: NodeID, layer: Int, kind: Kind, name: PathRef = "") {
        self.node = node
        self.layer = layer
        self.kind = kind
        self.name = name
    }
}
