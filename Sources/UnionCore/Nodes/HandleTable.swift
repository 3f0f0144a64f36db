internal import LinuxSystem
internal import Synchronization

/// Open files or directories by number. The table is sharded; its locks are leaves.
final class HandleTable<Handle: AnyObject & Sendable>: Sendable {
    private static var shardCount: Int { 8 }

    private final class Box: Sendable {
        let handles = Mutex<[UInt64: Handle]>([:])
    }

    private let boxes: [Box]
    private let serial = Atomic<UInt64>(0)

    init() { boxes = (0..<Self.shardCount).map { _ in Box() } }

    func insert(_ handle: Handle) -> HandleID {
        let id = serial.add(1, ordering: .relaxed).newValue
        box(id).handles.withLock { $0[id] = handle }
        return HandleID(rawValue: id)
    }

    func find(_ id: HandleID) -> Handle? {
        box(id.rawValue).handles.withLock { $0[id.rawValue] }
    }

    func remove(_ id: HandleID) -> Handle? {
        box(id.rawValue).handles.withLock { $0.removeValue(forKey: id.rawValue) }
    }

    /// All handles open now, in no order.
    var all: [Handle] {
        boxes.flatMap { $0.handles.withLock { Array($0.values) } }
    }

    private func box(_ id: UInt64) -> Box { boxes[Int(id % UInt64(Self.shardCount))] }
}
