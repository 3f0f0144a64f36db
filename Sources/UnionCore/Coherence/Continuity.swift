internal import LinuxSystem
internal import Synchronization

/// Whether a directory was there all the time, where nothing of what it was made of is part of it any more.
///
/// One layer's directory may go when another layer's has come, faster than anybody looks: then the union showed a
/// directory all the while, and it is the same one. Events say in which order they came and went. The lock is a leaf.
final class Continuity: Sendable {
    private let table: InodeTable
    private let courses = Mutex<[OwnChanges.Key: DirectoryCourse]>([:])

    init(of table: InodeTable) { self.table = table }

    func note(_ event: ChangeEvent) {
        guard event.kind.isOfEntry, let directory = table.find(event.node),
            let told = directory.told(event.name), told.isDirectory, let node = table.find(told.node)
        else { return }
        let known = node.makeup.layers
        let layer: UInt64 = 1 << UInt64(min(event.layer, 63))
        courses.withLock { courses in
            var course = courses[OwnChanges.Key(directory.id, event.name)] ?? DirectoryCourse(layers: known)
            switch event.kind {
            case .directoryCame: course.came(layer)
            case .directoryWent: course.went(layer)
            default: course.isBroken = true
            }
            courses[OwnChanges.Key(directory.id, event.name)] = course
        }
    }

    /// Whether the directory, which was made as `makeup` says, is still the one that these layers have there now.
    func isSame(_ makeup: Makeup, _ layers: UInt64, at key: OwnChanges.Key) -> Bool {
        guard let course = courses.withLock({ $0[key] }) else {
            // No event names it: it came and went with what it is in. In one layer that replaced it.
            return layers & makeup.layers == 0
        }
        return course.isSame(layers)
    }

    /// The name was looked at, and what is there counts from now on.
    func forget(_ key: OwnChanges.Key) { courses.withLock { $0[key] = nil } }

    /// Events were lost.
    func forgetAll() { courses.withLock { $0.removeAll() } }
}

extension Union {
    /// Whether the node is what these layers have under the name now: something of it is there still, or there was a
    /// directory all the time.
    func continues(_ node: Node, as makeup: Makeup, at name: PathRef, in directory: Node) -> Bool {
        if node.continues(as: makeup) { return true }
        guard node.isDirectory, !node.isDead, makeup.layers != 0 else { return false }
        coherence.source?.drain()
        return coherence.continuity.isSame(
            node.makeup, makeup.layers, at: OwnChanges.Key(directory.id, name))
    }

    /// The same of the real directories at the node's place.
    func continues(_ node: Node, as view: borrowing DirectoryView) -> Bool {
        if view.shows(node) { return true }
        guard !view.isEmpty, node.isToldAtItsPlace, let place = node.place else { return false }
        coherence.source?.drain()
        return coherence.continuity.isSame(
            node.makeup, view.layers, at: OwnChanges.Key(place.parent.id, place.name))
    }
}
