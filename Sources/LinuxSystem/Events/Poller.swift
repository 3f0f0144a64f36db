internal import CLinux
public import SystemPackage

/// What a descriptor may be ready for; values of <sys/epoll.h>.
public struct ReadyEvents: OptionSet, Sendable {
    public let rawValue: UInt32

    public init(rawValue: UInt32) { self.rawValue = rawValue }

    public static var readable: ReadyEvents { ReadyEvents(rawValue: 0x001) }
    /// EPOLLPRI, with which pseudo files signal a change.
    public static var urgent: ReadyEvents { ReadyEvents(rawValue: 0x002) }
    public static var writable: ReadyEvents { ReadyEvents(rawValue: 0x004) }
    public static var error: ReadyEvents { ReadyEvents(rawValue: 0x008) }
    public static var hungUp: ReadyEvents { ReadyEvents(rawValue: 0x010) }
    public static var edgeTriggered: ReadyEvents { ReadyEvents(rawValue: 1 << 31) }
}

/// A descriptor that is ready, by the token with which it was added.
public struct ReadyDescriptor: Sendable {
    public let token: UInt64
    public let events: ReadyEvents
}

/// Waits for many descriptors: epoll(7).
@safe public struct Poller: ~Copyable {
    private let epoll: OwnedDescriptor
    private let ready: UnsafeMutablePointer<slx_event>

    /// How many descriptors one wait returns at most.
    private static var capacity: Int { 32 }

    public init() throws(Errno) {
        epoll = try OwnedDescriptor(checking: slx_epoll_create())
        unsafe ready = .allocate(capacity: Poller.capacity)
        unsafe ready.initialize(repeating: slx_event(), count: Poller.capacity)
    }

    deinit { unsafe ready.deallocate() }

    /// Adds a descriptor; `token` names it in answers. EEXIST: it is there already. EPERM: it can't be
    /// polled.
    public borrowing func add(
        _ descriptor: FileDescriptor, _ events: ReadyEvents, token: UInt64
    ) throws(Errno) {
        try control(1, descriptor, events, token)
    }

    /// Changes the events and the token of a descriptor. ENOENT: it isn't there.
    public borrowing func modify(
        _ descriptor: FileDescriptor, _ events: ReadyEvents, token: UInt64
    ) throws(Errno) {
        try control(3, descriptor, events, token)
    }

    /// Takes a descriptor out. ENOENT: it isn't there.
    public borrowing func remove(_ descriptor: FileDescriptor) throws(Errno) {
        try control(2, descriptor, [], 0)
    }

    private borrowing func control(
        _ operation: Int32, _ descriptor: FileDescriptor, _ events: ReadyEvents, _ token: UInt64
    ) throws(Errno) {
        try succeed(
            slx_epoll_control(
                epoll.descriptor.rawValue, operation, descriptor.rawValue, events.rawValue, token))
    }

    /// Waits at most `timeout` milliseconds (-1: without end). Returns how many descriptors are ready; the
    /// subscript has them until the next wait. EINTR: a signal ended the wait.
    public mutating func wait(timeout: Int32) throws(Errno) -> Int {
        let epoll = epoll.descriptor.rawValue
        return Int(try unsafe check(slx_epoll_wait(epoll, ready, Int32(Poller.capacity), timeout)))
    }

    /// A descriptor that the last wait found ready. `index` is below the number that the wait returned.
    public subscript(index: Int) -> ReadyDescriptor {
        precondition(index >= 0 && index < Poller.capacity)
        let event = unsafe ready[index]
        return ReadyDescriptor(token: event.token, events: ReadyEvents(rawValue: event.events))
    }
}

/// Wakes a poller's thread from another thread: eventfd(2).
public struct WakeUp: ~Copyable, Sendable {
    private let owned: OwnedDescriptor
    public var descriptor: FileDescriptor { owned.descriptor }

    public init() throws(Errno) {
        owned = try OwnedDescriptor(checking: slx_eventfd())
    }

    /// Makes the descriptor readable.
    public borrowing func raise() {
        var one: UInt64 = 1
        _ = unsafe slx_write(owned.descriptor.rawValue, &one, 8)
    }

    /// Makes it unreadable again.
    public borrowing func clear() {
        var count: UInt64 = 0
        _ = unsafe slx_read(owned.descriptor.rawValue, &count, 8)
    }
}
