internal import LinuxSystem
internal import Synchronization

/// Whether a directory was there all the time, though nothing is left of what it was made of.
///
/// One layer's directory may go when another layer's has come, faster than any look. Then the union showed a
/// directory all the while, and it is the same one. Events say in which order they came and went. The lock is
/// a leaf.
final class Continuity: Sendable {
    private struct Noted {
        let at: UInt64
        let kind: ChangeEvent.Kind
        let layer: UInt64
    }

    /// What happened to a name that the kernel knows as a directory, since the name was settled last.
    private struct History {
        /// The layers that had a directory there before.
        var layers: UInt64
        var events: [Noted] = []

        /// `known`: since when events tell of everything.
        func isSame(_ now: UInt64, known: UInt64) -> Bool {
            var course = DirectoryCourse(layers: layers)
            for event in events {
                course.note(event.kind, event.layer)
                if event.at <= known { course.forgetGaps() }
            }
            return course.isSame(now)
        }

        var hasCome: Bool { events.contains { $0.kind == .directoryCame } }
    }

    /// With this many unsettled events of one name, it is taken for another directory.
    private static let most = 1024

    private let table: InodeTable
    private let clock: CoherenceClock
    private let histories = Mutex<[EntryKey: History]>([:])

    init(of table: InodeTable, _ clock: CoherenceClock) {
        self.table = table
        self.clock = clock
    }

    func note(_ event: ChangeEvent) {
        guard event.kind.isOfEntry, let directory = table.find(event.node),
            let reported = directory.reported(event.name), reported.isDirectory,
            let node = table.find(reported.node)
        else { return }
        let key = EntryKey(directory.id, event.name)
        let known = node.makeup.layers
        let layer: UInt64 = 1 << UInt64(min(event.layer, 63))
        histories.withLock { histories in
            let isTooLong = histories[key]?.events.count ?? 0 >= Self.most
            if isTooLong { histories[key]?.events = [] }
            let kind = isTooLong ? .entry : event.kind
            histories[key, default: History(layers: known)].events.append(
                Noted(at: clock.tick(), kind: kind, layer: layer))
        }
    }

    /// Whether the directory is still the one that these layers have under the name now.
    func isSame(_ node: Node, _ layers: UInt64, at name: PathRef, in directory: Node) -> Bool {
        // No event tells of what came with a directory that wasn't watched yet.
        if node.settledIn != directory.makeup.backings { return true }
        guard let known = eventsTellAll(in: directory) else { return true }
        let makeup = node.makeup
        let isSame: Bool? = histories.withLock {
            $0[EntryKey(directory.id, name)]?.isSame(layers, known: known)
        }
        // No event names it: it came and went with what it is in. If it was in one of these layers before,
        // another one replaced it there.
        return isSame ?? (layers & makeup.layers == 0)
    }

    /// Since when events tell all that happens to names in the directory. nil: they don't. The directory, or one that it is
    /// in, has come in one more layer, and that part isn't watched yet.
    private func eventsTellAll(in directory: Node) -> UInt64? {
        var (way, keys) = ([Node](), [EntryKey]())
        var current = directory
        for alias in WayUp(from: directory) {
            way.append(current)
            keys.append(EntryKey(alias.parent.id, alias.name))
            current = alias.parent
        }
        // In this order: the batch that settles a name notes first that what came is watched.
        let isSettled = histories.withLock { histories in !keys.contains { histories[$0]?.hasCome == true } }
        return isSettled ? way.map(\.watchedWhole).max() ?? 0 : nil
    }

    /// Whether a directory has come at the name that isn't settled yet.
    func hasCome(_ key: EntryKey) -> Bool { histories.withLock { $0[key]?.hasCome == true } }

    /// Whether anything has happened to the name since that time, as far as events were taken in.
    func hasEvents(_ key: EntryKey, since begun: UInt64) -> Bool {
        histories.withLock { $0[key]?.events.contains { $0.at > begun } == true }
    }

    /// Settles the name by a look that was begun at that time: these layers had a directory there. Events
    /// that were noted since still count.
    func settle(_ key: EntryKey, _ layers: UInt64, begun: UInt64) {
        histories.withLock { histories in
            guard var history = histories[key] else { return }
            history.layers = layers
            history.events.removeAll { $0.at <= begun }
            histories[key] = history.events.isEmpty ? nil : history
        }
    }

    /// Forgets the name, by which the kernel knows no directory any more.
    func forget(_ key: EntryKey) { histories.withLock { $0[key] = nil } }

    /// Forgets all names, as events were lost.
    func forgetAll() { histories.withLock { $0.removeAll() } }
}
