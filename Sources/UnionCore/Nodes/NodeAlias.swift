internal import LinuxSystem
internal import Synchronization

/// One name under which a node was reported to the kernel. A rename makes a new alias: in an alias only the
/// time of the report changes, and how sure it is.
///
/// It is one allocation, of 64 or 80 bytes for most names, for there are hundreds of thousands. It holds the
/// parent. The buffer's tail holds the time of the report, the node, the layer, the name's length and the
/// name with its NUL.
@safe struct NodeAlias: @unchecked Sendable {
    // Sendable: only two fields of the tail change, and these are atomic.
    private let storage: ManagedBuffer<Node, UInt8>

    private static let nodeOffset = 8
    private static let layerOffset = 16
    private static let countOffset = 18
    private static let stateOffset = 20
    private static let nameOffset = 21

    /// `layer` owns what stands there. `reported`: when the look that was reported last began, by the clock
    /// of `Coherence`.
    init(of node: Node, in parent: Node, _ name: PathRef, layer: Int, reported: UInt64) {
        let size = Self.nameOffset + name.count + 1
        storage = .create(minimumCapacity: size) { _ in parent }
        // The tail follows two words of the runtime's and the parent, so words in it are aligned.
        let tail = unsafe tail
        unsafe tail.bindMemory(to: Atomic<UInt64>.self, capacity: 1).initialize(to: Atomic(reported))
        unsafe tail.storeBytes(of: node.id.rawValue, toByteOffset: Self.nodeOffset, as: UInt64.self)
        unsafe tail.storeBytes(
            of: UInt16(truncatingIfNeeded: layer), toByteOffset: Self.layerOffset, as: UInt16.self)
        unsafe tail.storeBytes(
            of: UInt16(truncatingIfNeeded: name.count), toByteOffset: Self.countOffset, as: UInt16.self)
        unsafe (tail + Self.stateOffset).bindMemory(to: Atomic<UInt8>.self, capacity: 1).initialize(
            to: Atomic(node.isDirectory ? Self.directory : 0))
        unsafe (tail + Self.nameOffset).copyMemory(from: name.base, byteCount: name.count)
        unsafe tail.storeBytes(of: 0, toByteOffset: size - 1, as: UInt8.self)
    }

    var parent: Node { storage.header }

    /// The node that stands there, or stood there.
    var node: NodeID {
        unsafe NodeID(rawValue: tail.load(fromByteOffset: Self.nodeOffset, as: UInt64.self))
    }

    /// The name, valid as long as the alias.
    var name: PathRef {
        let tail = unsafe UnsafeRawPointer(tail)
        let count = unsafe Int(tail.load(fromByteOffset: Self.countOffset, as: UInt16.self))
        let base = unsafe (tail + Self.nameOffset).assumingMemoryBound(to: CChar.self)
        return unsafe PathRef(unsafe: base, count: count)
    }

    /// Whether the kernel knows the node by it, as far as is known.
    var isReported: Bool { parent.reported(name)?.node == node }

    /// The layer that owns what stands there.
    var layer: Int { unsafe Int(tail.load(fromByteOffset: Self.layerOffset, as: UInt16.self)) }

    /// When the look that was reported last began.
    var reported: UInt64 { unsafe reportedField.pointee.load(ordering: .sequentiallyConsistent) }

    /// Whether two answers were given, and the kernel may have taken in either last.
    var isContested: Bool { state & Self.contested != 0 }

    /// Whether a directory stands there: only LOOKUP reports it to the kernel, one answer after the other.
    var isDirectory: Bool { state & Self.directory != 0 }

    /// Whether the kernel doesn't know it any more. It is then only where the object was seen last.
    var isWithdrawn: Bool { state & Self.withdrawn != 0 }

    func noteReported(_ time: UInt64) {
        unsafe reportedField.pointee.store(max(reported, time), ordering: .sequentiallyConsistent)
    }

    func contest() { add(Self.contested) }

    func withdraw() { add(Self.withdrawn) }

    private func add(_ bits: UInt8) {
        unsafe stateField.pointee.bitwiseOr(bits, ordering: .sequentiallyConsistent)
    }

    func isAt(_ parent: Node, _ name: PathRef) -> Bool { self.parent === parent && self.name == name }

    func isSame(as other: NodeAlias) -> Bool { storage === other.storage }

    /// The key of this very alias, valid as long as the alias.
    var key: ObjectIdentifier { ObjectIdentifier(storage) }

    private var reportedField: UnsafeMutablePointer<Atomic<UInt64>> {
        unsafe tail.assumingMemoryBound(to: Atomic<UInt64>.self)
    }

    private static let contested: UInt8 = 1
    private static let withdrawn: UInt8 = 2
    private static let directory: UInt8 = 4

    private var state: UInt8 { unsafe stateField.pointee.load(ordering: .sequentiallyConsistent) }

    private var stateField: UnsafeMutablePointer<Atomic<UInt8>> {
        unsafe (tail + Self.stateOffset).assumingMemoryBound(to: Atomic<UInt8>.self)
    }

    private var tail: UnsafeMutableRawPointer {
        unsafe storage.withUnsafeMutablePointerToElements { UnsafeMutableRawPointer($0) }
    }
}
