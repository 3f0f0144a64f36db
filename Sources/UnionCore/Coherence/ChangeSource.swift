public import LinuxSystem
public import SystemPackage

/// Watches real objects of layers for the nodes that show them.
public protocol ChangeSource: Sendable {
    /// Watches an object, which may be O_PATH, for a node. For a directory it watches the entries that come,
    /// go or move, its own attributes, and its files' attributes; and what else `WatchedKind` says. For anything
    /// else it watches attributes and content.
    ///
    /// When this has returned, every later change of the object comes as an event. False: no watch can be had
    /// (ENOSPC, EACCES, …), which is counted. Adding a watch for an object, node and layer that has one
    /// already is fine and cheap.
    func watch(_ object: FileDescriptor, for node: NodeID, layer: Int, as kind: WatchedKind) -> Bool

    /// Watches the file of that name in the calling thread's working directory, which no other thread shares. It isn't known
    /// which file that is by now. False: no watch can be had in this way, or the file has one.
    func watchFile(named name: PathRef, for node: NodeID, layer: Int) -> Bool

    /// Ends the watching of what is written to the files in a directory, which stays watched. Where other
    /// nodes count on that, it goes on.
    func narrow(_ directory: FileDescriptor, for node: NodeID, layer: Int)

    /// Ends the node's watches: the node is forgotten, or its attributes are no longer cached. An event that
    /// is on its way may still come.
    func unwatch(_ node: NodeID)

    /// Whether so many watches are in use that some must be given back before more are asked for: other
    /// programs need some.
    var isFull: Bool { get }

    /// The node of another watch, from the one that was asked for first on, round and round. nil: there is
    /// none.
    func nextOldest() -> NodeID?

    /// Takes in every event that the kernel has queued so far, and changes of the table of mounts. When it
    /// returns, the sink has all of them. Any thread may call it, but the sink may not.
    func drain()

    /// Finds out whether control files may have come or gone without a write, and tells the sink then. A
    /// controller that is bound to another hierarchy takes its files with it; a module may bring some.
    func checkControllers()

    /// How many watches of the kernel's there are now.
    var watchCount: Int { get }
    /// How many events the sink got.
    var eventCount: UInt64 { get }
    /// How often the kernel's queue overflowed.
    var overflowCount: UInt64 { get }
}

/// A source that has watches for all nodes, and knows no cgroups.
extension ChangeSource {
    public var isFull: Bool { false }
    public func watchFile(named name: PathRef, for node: NodeID, layer: Int) -> Bool { false }
    public func narrow(_ directory: FileDescriptor, for node: NodeID, layer: Int) {}
    public func nextOldest() -> NodeID? { nil }
    public func checkControllers() {}
}

/// Takes changes in, in the order in which they happened. It must not block (it only queues), nor call the
/// source.
public protocol ChangeSink: AnyObject, Sendable {
    func changed(_ event: ChangeEvent)

    /// Events were lost: anything that is watched may have changed.
    func overflowed()

    /// Something was mounted or unmounted, anywhere: watches don't tell of that.
    func mountsChanged()

    /// Control files of any cgroup may have come or gone.
    func controllersChanged()

    /// For how long the next events may gather, in microseconds.
    var delay: UInt32 { get }
}

/// A change underneath.
public struct ChangeEvent {
    /// The node for which the changed object was watched.
    public var node: NodeID
    public var layer: Int
    public var kind: Kind
    /// The entry of the watched directory, valid during the call; empty for the object itself.
    public var name: PathRef

    /// What happened.
    public enum Kind: Sendable, Hashable {
        /// The name came, went or moved.
        case entry
        /// A directory came under the name, or went from it.
        case directoryCame, directoryWent
        /// The watched object's own attributes or content changed.
        case object
        /// The watched object was deleted, moved or unmounted.
        case gone
        /// The attributes of a file in the watched directory changed.
        case fileAttributes
        /// A file in the watched directory was written or truncated, which changes its attributes, too.
        case fileContent

        /// Whether the name came, went or moved, and it isn't about the object itself.
        public var isOfEntry: Bool {
            switch self {
            case .entry, .directoryCame, .directoryWent: true
            case .object, .gone, .fileAttributes, .fileContent: false
            }
        }
    }

    @inlinable
    public init(node: NodeID, layer: Int, kind: Kind, name: PathRef = "") {
        self.node = node
        self.layer = layer
        self.kind = kind
        self.name = name
    }
}
