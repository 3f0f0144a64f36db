import Glibc
import LinuxSystem
import SystemPackage
import UnionCore

/// A source of changes in the test's hand. Real objects are watched by inotify, so that all that happens to them is told
/// in its terms, but nobody reads of it until `drain`: the test or the engine asks. What inotify doesn't say, or says
/// rarely, the test tells itself.
final class ScriptedChanges: ChangeSource {
    struct Owner: Hashable {
        let node: NodeID
        let layer: Int
    }

    private struct State {
        var owners: [Int32: Set<Owner>] = [:]
        var refused: Set<RealObject> = []
        var refusesNext = false
        /// To be done once, just before an object is watched.
        var turnstiles: [RealObject: @Sendable () -> Void] = [:]
        /// The same for the next one, whichever that is.
        var turnstile: (@Sendable () -> Void)?
        /// When the next one was watched by its name.
        var exit: (@Sendable () -> Void)?
        var events: UInt64 = 0
        var overflows: UInt64 = 0
    }

    /// The reading end and whom events go to: one reader at a time.
    private final class Box {
        var inotify: Inotify
        weak var sink: (any ChangeSink)?
        init() throws { inotify = try Inotify() }
    }

    private let reader: Monitor<Box>
    private let watches: InotifyWatches
    private let state = Monitor(State())

    init() throws {
        let box = try Box()
        watches = box.inotify.watches
        reader = Monitor(box)
    }

    func setSink(_ sink: any ChangeSink) { reader.withLock { $0.sink = sink } }

    // MARK: What the engine asks for

    func watch(_ object: FileDescriptor, for node: NodeID, layer: Int, as kind: WatchedKind) -> Bool {
        guard let real = RealObject(object) else { return false }
        pass(real)
        return state.withLock { state in
            guard !state.refused.contains(real),
                let watch = try? watches.add(object, mask: .of(kind))
            else { return false }
            state.owners[watch, default: []].insert(Owner(node: node, layer: layer))
            return true
        }
    }

    func watchFile(named name: PathRef, for node: NodeID, layer: Int) -> Bool {
        guard let real = RealObject(name.string) else { return false }
        pass(real)
        let isWatched = state.withLock { state in
            guard !state.refused.contains(real),
                let watch = try? watches.add(named: name, mask: .of(.file))
            else { return false }
            state.owners[watch, default: []].insert(Owner(node: node, layer: layer))
            return true
        }
        state.withLock { state in
            defer { state.exit = nil }
            return state.exit
        }?()
        return isWatched
    }

    private func pass(_ real: RealObject) {
        let turnstile = state.withLock { state in
            defer { state.turnstile = nil }
            if state.refusesNext { state.refused.insert(real) }
            state.refusesNext = false
            return state.turnstiles.removeValue(forKey: real) ?? state.turnstile
        }
        turnstile?()
    }

    func unwatch(_ node: NodeID) {
        state.withLock { state in
            for (watch, owners) in state.owners where owners.contains(where: { $0.node == node }) {
                let others = owners.filter { $0.node != node }
                state.owners[watch] = others.isEmpty ? nil : others
                if others.isEmpty { try? watches.remove(watch) }
            }
        }
    }

    func drain() {
        reader.withLock { box in
            while let event = (try? box.inotify.next()) ?? nil { hand(event, to: box.sink) }
        }
    }

    var watchCount: Int { state.withLock { $0.owners.count } }
    var eventCount: UInt64 { state.withLock { $0.events } }
    var overflowCount: UInt64 { state.withLock { $0.overflows } }

    private func hand(_ event: InotifyEvent, to sink: (any ChangeSink)?) {
        if event.mask.contains(.ignored) {
            return state.withLock { $0.owners[event.watch] = nil }
        }
        guard let kind = event.mask.kind(isNamed: !event.name.isEmpty) else { return }
        for owner in owners(of: event.watch) {
            sink?.changed(ChangeEvent(node: owner.node, layer: owner.layer, kind: kind, name: event.name))
        }
    }

    private func owners(of watch: Int32) -> [Owner] {
        state.withLock { state in
            state.events += 1
            return state.owners[watch, default: []].sorted { $0.node.rawValue < $1.node.rawValue }
        }
    }

    // MARK: What the test does

    /// No watch can be had of the real object any more.
    func refuse(_ path: String) {
        guard let real = RealObject(path) else { return }
        state.withLock { _ = $0.refused.insert(real) }
    }

    /// Nor of the one that is asked for next.
    func refuseNext() { state.withLock { $0.refusesNext = true } }

    /// What happens once, when the real object is just about to be watched.
    func beforeWatching(_ path: String, _ body: @escaping @Sendable () -> Void) {
        guard let real = RealObject(path) else { return }
        state.withLock { $0.turnstiles[real] = body }
    }

    /// What happens once, when the next file has just been watched by its name.
    func afterNextWatchByName(_ body: @escaping @Sendable () -> Void) {
        state.withLock { $0.exit = body }
    }

    /// The same for whatever is watched next.
    func beforeNextWatch(_ body: @escaping @Sendable () -> Void) {
        state.withLock { $0.turnstile = body }
    }

    /// For whom the real object is watched.
    func watchers(of path: String) -> Set<Owner> {
        guard let object = try? RealObject.open(path) else { return [] }
        return state.withLock { state in
            // The same object has the same number.
            let mask = InotifyMask.addToMask.union(.attributes)
            guard let watch = try? watches.add(object.descriptor, mask: mask) else { return [] }
            return state.owners[watch, default: []]
        }
    }

    /// An event that nobody caused, for all who have the object watched.
    func tell(_ kind: ChangeEvent.Kind, at path: String, _ name: String = "") {
        let name = OwnedName(name)
        for owner in watchers(of: path) {
            reader.withLock { box in
                box.sink?.changed(
                    ChangeEvent(node: owner.node, layer: owner.layer, kind: kind, name: name.ref))
            }
        }
    }

    /// The same for one of them alone.
    func tell(_ kind: ChangeEvent.Kind, of owner: Owner) {
        reader.withLock { $0.sink?.changed(ChangeEvent(node: owner.node, layer: owner.layer, kind: kind)) }
    }

    /// The queue was full: what has happened so far is never told.
    func overflow() {
        lose()
        state.withLock { $0.overflows += 1 }
        reader.withLock { $0.sink?.overflowed() }
    }

    /// What has happened so far is never told, and nobody knows of that.
    func lose() {
        reader.withLock { box in
            while let event = (try? box.inotify.next()) ?? nil {
                if event.mask.contains(.ignored) { state.withLock { $0.owners[event.watch] = nil } }
            }
        }
    }

    func mountsChanged() { reader.withLock { $0.sink?.mountsChanged() } }
}

/// Tells real objects apart.
private struct RealObject: Hashable {
    let device: UInt64
    let inode: UInt64

    init?(_ object: FileDescriptor) {
        guard let status = try? object.status() else { return nil }
        (device, inode) = (status.device, status.inode)
    }

    init?(_ path: String) {
        guard let object = try? RealObject.open(path) else { return nil }
        self.init(object.descriptor)
    }

    static func open(_ path: String) throws(Errno) -> OwnedDescriptor {
        let name = OwnedName(path)
        return try FileDescriptor.workingDirectory.openPlain(name.ref, flags: [.path, .noFollow])
    }
}

extension InotifyMask {
    fileprivate static var entries: InotifyMask { [.create, .delete, .movedFrom, .movedTo] }
    fileprivate static var endings: InotifyMask { [.deleteSelf, .moveSelf, .unmounted] }

    fileprivate static func of(_ kind: WatchedKind) -> InotifyMask {
        switch kind {
        case .file: ofFiles
        case .directory: ofDirectories
        case .directoryWithFiles, .controlGroup: ofDirectories.union(.modify)
        }
    }

    /// What directories and files are watched for, as the program does.
    fileprivate static var ofDirectories: InotifyMask {
        entries.union([.attributes, .deleteSelf, .moveSelf, .onlyDirectory, .addToMask])
    }
    fileprivate static var ofFiles: InotifyMask {
        [.attributes, .modify, .closeWrite, .deleteSelf, .moveSelf]
    }

    fileprivate func kind(isNamed: Bool) -> ChangeEvent.Kind? {
        if isNamed {
            if isDisjoint(with: .entries) {
                if contains(.isDirectory) { return nil }
                return isDisjoint(with: [.modify, .closeWrite]) ? .fileAttributes : .fileContent
            }
            guard contains(.isDirectory) else { return .entry }
            return isDisjoint(with: [.create, .movedTo]) ? .directoryWent : .directoryCame
        }
        if !isDisjoint(with: .endings) { return .gone }
        return isDisjoint(with: [.attributes, .modify, .closeWrite]) ? nil : .object
    }
}
