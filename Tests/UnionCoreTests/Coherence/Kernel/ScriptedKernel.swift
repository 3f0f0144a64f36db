import LinuxSystem
import SystemPackage
import UnionCore

/// A request that the kernel sent.
enum Request: Hashable {
    case lookup(NodeID, String)
    case attributes(NodeID)
    case listing(NodeID)
    case change
}

/// A notification that the kernel was sent.
enum Sent: Hashable {
    case entry(NodeID, String)
    /// A name that can't be: takes and leaves the directory's lock.
    case barrier(NodeID)
    case expiry(NodeID, String)
    case node(NodeID, content: Bool)
}

/// The kernel over a union, as far as it keeps anything: what it is told it keeps, asks for and drops as Linux 6.18
/// does. Clients are the test's own calls. Replies can be held back, with the locks that Linux holds meanwhile.
final class ScriptedKernel: Sendable {
    struct State {
        var tree = KernelTree()
        var requests: [Request] = []
        var sent: [Sent] = []
        /// Directories whose locks are held for requests under way.
        var shared: [NodeID: Int] = [:]
        var exclusive: Set<NodeID> = []
        /// Drops that wait for a directory's lock.
        var waiting: [NameKey] = []
        /// No notification gets through.
        var isBlocked = false
        /// How many wait for that.
        var blocked = 0
        /// Threads that wait for `sync`.
        var settling = 0
        var lastMount = 0
        /// What others do once, when the kernel is just about to ask for a change.
        var beforeChange: (@Sendable () -> Void)?

        func isLocked(_ directory: NodeID) -> Bool {
            shared[directory, default: 0] > 0 || exclusive.contains(directory)
        }

        /// A drop waits for what only the test lets happen.
        var isHeldUp: Bool { blocked > 0 && isBlocked || waiting.contains { isLocked($0.parent) } }
    }

    let union: Union
    let state = Monitor(State())

    init(_ union: Union) { self.union = union }

    // MARK: What was sent

    /// Requests since the last `forgetRecords`.
    var requests: [Request] { state.withLock { $0.requests } }
    /// Notifications since then.
    var sent: [Sent] { state.withLock { $0.sent } }

    /// The names that were dropped or that are asked for again, without those that can't be.
    var droppedNames: [NameKey] {
        sent.compactMap { sent in
            switch sent {
            case .entry(let parent, let name), .expiry(let parent, let name): NameKey(parent, name)
            default: nil
            }
        }
    }

    /// Drops that wait for a reply to be taken in.
    var waitingDrops: [NameKey] { state.withLock { $0.waiting } }

    func forgetRecords() {
        state.withLock { state in
            state.requests = []
            state.sent = []
        }
    }

    // MARK: For the kernel's own use

    func lockShared(_ directory: NodeID) {
        state.wait { state in
            if state.exclusive.contains(directory) { return false }
            state.shared[directory, default: 0] += 1
            return true
        }
    }

    func unlockShared(_ directory: NodeID) {
        state.withLock { $0.shared[directory, default: 1] -= 1 }
    }

    func lockExclusive(_ directories: Set<NodeID>) {
        state.wait { state in
            if directories.contains(where: { state.isLocked($0) }) { return false }
            state.exclusive.formUnion(directories)
            return true
        }
    }

    func unlockExclusive(_ directories: Set<NodeID>) {
        state.withLock { $0.exclusive.subtract(directories) }
    }

    func note(_ request: Request) { state.withLock { $0.requests.append(request) } }

    /// A change is about to be asked for: what it is about was looked up.
    func noteChange() {
        note(.change)
        let body = state.withLock { state in
            defer { state.beforeChange = nil }
            return state.beforeChange
        }
        body?()
    }

    /// What others do once, between the lookups of the next change and its request.
    func beforeNextChange(_ body: @escaping @Sendable () -> Void) {
        state.withLock { $0.beforeChange = body }
    }

    /// FORGET of what nothing refers to any more.
    func sendForgets() {
        let forgets = state.withLock { state in
            let locked = state.exclusive.union(state.shared.lazy.filter { $0.value > 0 }.map(\.key))
            state.tree.collect(isLocked: locked.contains)
            defer { state.tree.forgets = [] }
            return state.tree.forgets
        }
        for forget in forgets where forget.count > 0 { union.forget(forget.node, count: forget.count) }
    }
}

extension ScriptedKernel: KernelCache {
    func dropEntry(_ parent: NodeID, _ name: PathRef) throws(Errno) {
        let isBarrier = name[0] == 1
        let key = NameKey(parent, name.string)
        try change(key, isBarrier ? .barrier(parent) : .entry(parent, key.name)) { tree throws(Errno) in
            try tree.dropEntry(key)
        }
    }

    func expireEntry(_ parent: NodeID, _ name: PathRef) throws(Errno) {
        let key = NameKey(parent, name.string)
        try change(key, .expiry(parent, key.name)) { tree throws(Errno) in try tree.expireEntry(key) }
    }

    /// Whoever tells the kernel anything waits here until that may go on.
    private func pass() {
        state.withLock { $0.blocked += 1 }
        state.wait { !$0.isBlocked }
        state.withLock { $0.blocked -= 1 }
    }

    /// Waits for the directory's lock.
    private func change(
        _ key: NameKey, _ sent: Sent, _ body: (inout KernelTree) throws(Errno) -> Void
    ) throws(Errno) {
        pass()
        state.withLock { state in
            state.sent.append(sent)
            state.waiting.append(key)
        }
        try state.wait { state throws(Errno) in
            if state.isLocked(key.parent) { return false }
            state.waiting.removeAll { $0 == key }
            try body(&state.tree)
            return true
        }
    }

    func dropNode(_ node: NodeID, content: Bool) throws(Errno) {
        pass()
        try state.withLock { state throws(Errno) in
            state.sent.append(.node(node, content: content))
            try state.tree.dropNode(node, content: content)
        }
    }
}
