internal import CLinux
public import SystemPackage

/// An event of inotify(7). Its name is valid until the next call.
public struct InotifyEvent {
    /// The watch's number; -1 for an overflow.
    public let watch: Int32
    public let mask: InotifyMask
    /// A number that the two events of a rename have in common.
    public let cookie: UInt32
    /// The entry of the watched directory; empty for the watched object itself.
    public let name: PathRef
}

/// An inotify instance, nonblocking. Poll its descriptor, then take the events until there are no more.
@safe public struct Inotify: ~Copyable {
    private let owned: OwnedDescriptor
    private let buffer: UnsafeMutableRawPointer
    private let capacity: Int
    private var offset = 0
    private var filled = 0
    /// Whether all that was there when the kernel was asked first is in the buffer, or was before.
    private var isAll = false
    /// How many bytes were there beyond the buffer when it was filled for the first time since a nil.
    private var left: Int?

    public var descriptor: FileDescriptor { owned.descriptor }

    /// Makes an instance. `bufferSize` is in bytes. EMFILE: the user has too many instances.
    public init(bufferSize: Int = 64 * 1024) throws(Errno) {
        owned = try OwnedDescriptor(checking: slx_inotify_create())
        capacity = max(bufferSize, 2 * Self.longestEvent)
        unsafe buffer = .allocate(byteCount: capacity, alignment: 8)
    }

    deinit { unsafe buffer.deallocate() }

    /// Whether `next` asks the kernel again. The events before that had all happened when it last asked.
    public var isAtEndOfBuffer: Bool { offset >= filled }

    /// How many bytes an event takes with a name of NAME_MAX.
    private static var longestEvent: Int { 272 }

    /// The next event, in the order in which they happened. nil: those that were there when the kernel was
    /// first asked since the nil before have been taken. More may have come, as a program may make them
    /// faster than they are taken.
    public mutating func next() throws(Errno) -> InotifyEvent? {
        if isAtEndOfBuffer {
            offset = 0
            filled = 0
            guard !isAll, try fill() else {
                isAll = false
                left = nil
                return nil
            }
        }
        return decode()
    }

    /// Fills the buffer. False: the kernel has no events.
    private mutating func fill() throws(Errno) -> Bool {
        let result = unsafe slx_read(owned.descriptor.rawValue, buffer, capacity)
        if result == -Int64(Errno.resourceTemporarilyUnavailable.rawValue) { return false }
        filled = try check(result)
        // The kernel ends a read if the next event doesn't fit.
        isAll = filled <= capacity - Self.longestEvent
        if !isAll {
            let rest = if let left { left - filled } else { try descriptor.waitingBytes() }
            left = rest
            isAll = rest <= 0
        }
        return filled > 0
    }

    /// struct inotify_event: watch, mask, cookie, length of the name with its padding of NULs, name.
    private mutating func decode() -> InotifyEvent {
        let record = unsafe buffer + offset
        let nameLength = Int(unsafe record.load(fromByteOffset: 12, as: UInt32.self))
        offset += 16 + nameLength
        let name: PathRef =
            nameLength == 0
            ? "" : unsafe PathRef(cString: (record + 16).assumingMemoryBound(to: CChar.self))
        return unsafe InotifyEvent(
            watch: record.load(as: Int32.self),
            mask: InotifyMask(rawValue: record.load(fromByteOffset: 4, as: UInt32.self)),
            cookie: record.load(fromByteOffset: 8, as: UInt32.self),
            name: name)
    }
}
