internal import LinuxSystem
internal import Synchronization
internal import SystemPackage

/// What is under way with a directory and may still change what the kernel knows of it.
final class NodeActivity: Sendable {
    /// How many looks at the directory's attributes have answers that aren't noted yet.
    private let looks = Atomic<Int>(0)
    /// How many looks at names in it have answers that aren't noted yet.
    private let lookups = Atomic<Int>(0)
    /// How many changes of the union's own in it are under way.
    private let changes = Atomic<Int>(0)

    var hasLooks: Bool { looks.load(ordering: .sequentiallyConsistent) != 0 }
    var hasLookups: Bool { lookups.load(ordering: .sequentiallyConsistent) != 0 }
    var hasChanges: Bool { changes.load(ordering: .sequentiallyConsistent) != 0 }

    func looking<R>(_ body: () throws(Errno) -> R) throws(Errno) -> R {
        looks.add(1, ordering: .sequentiallyConsistent)
        defer { looks.subtract(1, ordering: .sequentiallyConsistent) }
        return try body()
    }

    func lookingUp<R: ~Copyable>(_ body: () throws(Errno) -> R) throws(Errno) -> R {
        lookups.add(1, ordering: .sequentiallyConsistent)
        defer { lookups.subtract(1, ordering: .sequentiallyConsistent) }
        return try body()
    }

    func beginChange() { changes.add(1, ordering: .sequentiallyConsistent) }
    func endChange() { changes.subtract(1, ordering: .sequentiallyConsistent) }
}

extension Node {
    /// nil: only directories have one.
    var activity: NodeActivity? { isDirectory ? state.withLock { $0.activity } : nil }

    /// Looks at the node's attributes.
    func looking<R>(_ body: () throws(Errno) -> R) throws(Errno) -> R {
        guard let activity else { return try body() }
        return try activity.looking(body)
    }

    /// Looks at a name in the directory.
    func lookingUp<R: ~Copyable>(_ body: () throws(Errno) -> R) throws(Errno) -> R {
        guard let activity else { return try body() }
        return try activity.lookingUp(body)
    }
}
