internal import LinuxSystem
internal import Synchronization

/// A change of the union's own under way on one name. Ends with `left`; without it nothing is known of what the
/// name denotes afterwards, and its events count as anybody's.
struct OwnChange: ~Copyable {
    private let changes: OwnChanges?
    private let directory: Node
    private let key: OwnChanges.Key
    private let isSeen: Bool
    private var note: OwnChanges.Note?

    /// `changes` nil: nobody asks. `isSeen`: the directory changes with it.
    init(_ changes: OwnChanges?, _ directory: Node, _ name: PathRef, isSeen: Bool = true) {
        self.changes = changes
        self.directory = directory
        self.isSeen = isSeen
        key = OwnChanges.Key(directory.id, name)
        guard let changes else { return }
        directory.activity?.beginChange()
        changes.begin(key)
    }

    deinit {
        guard let changes else { return }
        if isSeen, note != nil { directory.noteOwnChange() }
        changes.end(key, note)
        directory.activity?.endChange()
    }

    /// The change is through, and left this.
    consuming func left(_ note: OwnChanges.Note) { self.note = note }
}

/// Changes that the union itself made, so that their events aren't taken for changes from outside.
///
/// Told by state and not by count (inotify merges equal neighbours): before a change its name is marked
/// pending; after it, what the union shows there is noted. An event of a noted name is dropped when the union
/// still shows just that. Whoever answers anything else about the name takes the note away.
final class OwnChanges: Sendable {
    struct Key: Hashable {
        let directory: NodeID
        let name: UInt64

        init(_ directory: NodeID, _ name: PathRef) {
            self.directory = directory
            self.name = name.hash
        }
    }

    enum Note: Equatable {
        case pending(Int)
        case absent
        case present(NodeID)
    }

    private static let capacity = 4096

    private struct State {
        var notes: [Key: Note] = [:]
        /// What was told of pending names meanwhile; nil: different things.
        var toldMeanwhile: [Key: Note?] = [:]
        /// Notes of the generation before, dropped with the next: events lag behind by far less.
        var older: [Key: Note] = [:]
    }

    private let state = Mutex(State())
    private let count = Atomic<Int>(0)

    /// The name is about to be changed.
    func begin(_ key: Key) {
        state.withLock { state in
            var depth = 1
            if case .pending(let others) = state.notes[key] { depth += others }
            state.notes[key] = .pending(depth)
            state.older[key] = nil
            count.store(1, ordering: .relaxed)
        }
    }

    /// The change is through; nil: it failed, or what it left isn't known.
    func end(_ key: Key, _ note: Note?) {
        state.withLock { state in
            if case .pending(let depth) = state.notes[key], depth > 1 {
                state.notes[key] = .pending(depth - 1)
                return
            }
            // Somebody asked in the midst of it and was told something else: then that is what is known.
            let told = state.toldMeanwhile.removeValue(forKey: key)
            state.notes[key] = told == nil || told == .some(note) ? note : nil
            guard state.notes.count >= Self.capacity else { return }
            // Pending ones stay; they end soon.
            let pending = state.notes.filter { if case .pending = $0.value { true } else { false } }
            state.older = state.notes
            state.notes = pending
        }
    }

    func note(_ key: Key) -> Note? {
        guard count.load(ordering: .relaxed) != 0 else { return nil }
        return state.withLock { $0.notes[key] ?? $0.older[key] }
    }

    /// A reply tells the kernel what the name is now; a note that says otherwise is no longer what it knows.
    func noteTold(_ key: Key, _ told: Note) {
        guard count.load(ordering: .relaxed) != 0 else { return }
        state.withLock { state in
            if let note = state.notes[key], note != told {
                if case .pending = note {
                    let before = state.toldMeanwhile[key]
                    state.toldMeanwhile[key] = .some(before == nil || before == .some(told) ? told : nil)
                    return
                }
                state.notes[key] = nil
            }
            if let note = state.older[key], note != told { state.older[key] = nil }
        }
    }
}
