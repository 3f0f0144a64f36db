internal import Glibc

/// A path that grows at both ends, so that it can be built from the last name up to the root.
@safe public struct PathBuffer: ~Copyable {
    private var storage: UnsafeMutablePointer<CChar>
    private var capacity: Int
    private var start: Int
    /// The position of the NUL.
    private var end: Int

    /// An empty path, with room for some `capacity` bytes before it must move.
    public init(capacity: Int = 512) {
        self.capacity = max(capacity, 16)
        unsafe storage = UnsafeMutablePointer<CChar>.allocate(capacity: self.capacity)
        start = self.capacity / 2
        end = start
        unsafe storage[end] = 0
    }

    deinit { unsafe storage.deallocate() }

    public var count: Int { end - start }
    public var isEmpty: Bool { start == end }

    /// The path so far, valid until the next change.
    public var ref: PathRef { unsafe PathRef(unsafe: storage + start, count: count) }

    /// What `PathRef` says of the path.
    public var string: String { ref.string }
    public var array: [UInt8] { ref.array }

    /// Puts `name` in front, with a '/' after it if something follows. An empty name changes nothing.
    public mutating func prepend(_ name: PathRef) {
        guard !name.isEmpty else { return }
        reserve(front: name.count + 1, back: 0)
        if !isEmpty {
            start -= 1
            unsafe storage[start] = 0x2f
        }
        start -= name.count
        unsafe memcpy(storage + start, name.base, name.count)
    }

    /// Puts `name` behind, with a '/' before it if something precedes. An empty name changes nothing.
    public mutating func append(_ name: PathRef) {
        guard !name.isEmpty else { return }
        reserve(front: 0, back: name.count + 1)
        if !isEmpty {
            unsafe storage[end] = 0x2f
            end += 1
        }
        unsafe memcpy(storage + end, name.base, name.count)
        end += name.count
        unsafe storage[end] = 0
    }

    /// Forgets the path, and keeps the room.
    public mutating func removeAll() {
        start = capacity / 2
        end = start
        unsafe storage[end] = 0
    }

    /// Makes room on a side that lacks it: moves the path to the middle of twice the needed space.
    private mutating func reserve(front: Int, back: Int) {
        guard start < front || capacity - end - 1 < back else { return }
        let count = self.count
        let grown = max(capacity, 2 * (count + front + back + 1))
        // Front and back get half the free room each, and always what they asked for.
        let newStart = max(front, (grown - count - 1) / 2 - back / 2)
        let moved = UnsafeMutablePointer<CChar>.allocate(capacity: grown)
        unsafe memcpy(moved + newStart, storage + start, count + 1)
        unsafe storage.deallocate()
        unsafe storage = unsafe moved
        capacity = grown
        start = newStart
        end = newStart + count
    }
}
