internal import LinuxSystem
internal import Synchronization
public import SystemPackage

/// What a person should know of, and can do something about.
public enum UnionNotice: Sendable {
    /// Nothing of what is at that path of the union is shown: it has a mark of overlayfs that can't be followed.
    case notFollowed(path: String, layer: Int, RedirectObstacle)
    /// What is at a layer's own path isn't the directory that the union was given, or is it again (nil).
    case root(layer: Int, path: String, RootChange?)
    /// A step failed that no caller waits for, with that error where there is one. `path`: in the union, where it is known.
    case ignored(IgnoredStep, path: String?, Errno?)
}

/// What the union does on its own, and goes on without where it fails.
public enum IgnoredStep: String, Sendable {
    /// The kernel refused to drop what it keeps.
    case dropFromKernel
    /// A rename that a crash interrupted can neither be finished nor undone; the next mount tries again.
    case finishRename
    /// A directory that a rename of several steps has changed can't be synchronized.
    case synchronizeRename
}

/// Takes notices to who tells people. The lock is a leaf.
final class Notices: Sendable {
    typealias Sink = @Sendable (UnionNotice) -> Void

    private struct State {
        var sink: Sink?
        /// What came up before there was anybody to tell.
        var early: [UnionNotice] = []
        /// What was said already that is said but once.
        var said: Set<String> = []
    }

    private let state = Mutex(State())

    private static let mostEarly = 64

    func deliver(to sink: @escaping Sink) {
        let early = state.withLock { state in
            state.sink = sink
            defer { state.early = [] }
            return state.early
        }
        for notice in early { sink(notice) }
    }

    /// `once`: the second notice of that key, and all further ones, are nothing new.
    func post(_ notice: @autoclosure () -> UnionNotice, once key: String? = nil) {
        let isNew = key.map { key in state.withLock { $0.said.insert(key).inserted } } ?? true
        guard isNew else { return }
        let notice = notice()
        let sink: Sink? = state.withLock { state in
            if state.sink == nil, state.early.count < Self.mostEarly { state.early.append(notice) }
            return state.sink
        }
        sink?(notice)
    }
}
