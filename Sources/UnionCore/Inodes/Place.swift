internal import LinuxSystem
internal import Synchronization

/// One name under which a node was told to the kernel. It never changes: a rename makes a new one.
///
/// One allocation of 64 bytes for most names, for there are hundreds of thousands: the parent, and in the
/// buffer's tail when it was told, the layer, the name's length and the name with its NUL.
@safe struct Place: @unchecked Sendable {
    // Sendable: of the tail only the time changes, which is atomic.
    private let storage: ManagedBuffer<Node, UInt8>

    private static let layerOffset = 8
    private static let countOffset = 10
    private static let nameOffset = 12

    /// `layer` owns what stands there. `told`: when the look that was told last was begun, by the clock of
    /// `Coherence`.
    init(parent: Node, name: PathRef, layer: Int, told: UInt64) {
        let size = Self.nameOffset + name.count + 1
        storage = .create(minimumCapacity: size) { _ in parent }
        // The tail follows two words of the runtime's and the parent: the time is aligned.
        let tail = unsafe tail
        unsafe tail.bindMemory(to: Atomic<UInt64>.self, capacity: 1).initialize(to: Atomic(told))
        unsafe tail.storeBytes(
            of: UInt16(truncatingIfNeeded: layer), toByteOffset: Self.layerOffset, as: UInt16.self)
        unsafe tail.storeBytes(
            of: UInt16(truncatingIfNeeded: name.count), toByteOffset: Self.countOffset, as: UInt16.self)
        unsafe (tail + Self.nameOffset).copyMemory(from: name.base, byteCount: name.count)
        unsafe tail.storeBytes(of: 0, toByteOffset: size - 1, as: UInt8.self)
    }

    var parent: Node { storage.header }

    /// Valid as long as the place.
    var name: PathRef {
        let tail = unsafe UnsafeRawPointer(tail)
        let count = unsafe Int(tail.load(fromByteOffset: Self.countOffset, as: UInt16.self))
        let base = unsafe (tail + Self.nameOffset).assumingMemoryBound(to: CChar.self)
        return unsafe PathRef(unsafe: base, count: count)
    }

    /// The layer that owns what stands there.
    var layer: Int { unsafe Int(tail.load(fromByteOffset: Self.layerOffset, as: UInt16.self)) }

    /// The kernel knows the name as it was told, as far as anybody can say.
    var isCurrent: Bool {
        let told = unsafe told.pointee.load(ordering: .sequentiallyConsistent)
        return told >= parent.state.withLock { $0.lastDrop }
    }

    /// Whether the kernel was told this one later than the other, but before that time: it moves a directory to where it
    /// is told.
    func wasTold(after other: Place, before time: UInt64) -> Bool {
        let told = unsafe told.pointee.load(ordering: .sequentiallyConsistent)
        return unsafe told > other.told.pointee.load(ordering: .sequentiallyConsistent) && told < time
    }

    func noteTold(_ time: UInt64) { unsafe told.pointee.store(time, ordering: .sequentiallyConsistent) }

    func isAt(_ parent: Node, _ name: PathRef) -> Bool { self.parent === parent && self.name == name }

    func isSame(as other: Place) -> Bool { storage === other.storage }

    private var told: UnsafeMutablePointer<Atomic<UInt64>> {
        unsafe tail.assumingMemoryBound(to: Atomic<UInt64>.self)
    }

    private var tail: UnsafeMutableRawPointer {
        unsafe storage.withUnsafeMutablePointerToElements { UnsafeMutableRawPointer($0) }
    }
}
