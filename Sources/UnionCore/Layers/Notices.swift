internal import LinuxSystem
internal import Synchronization
public import SystemPackage

/// What a person should know, and can do something about.
public enum UnionNotice: Sendable {
    /// The union shows nothing of what is at that path: it has a mark of overlayfs that can't be followed.
    case notFollowed(path: String, layer: Int, RedirectObstacle)
    /// What is at a layer's own path isn't the directory that the union was given. nil: it is that directory
    /// again.
    case root(layer: Int, path: String, RootChange?)
    /// A step failed that no caller waits for. The error is nil if there is none. `path`: the path in the
    /// union, if it is known.
    case ignored(IgnoredStep, path: String?, Errno?)
}

/// A step that the union takes on its own. If it fails, the union goes on without it.
public enum IgnoredStep: String, Sendable {
    /// The kernel refused to drop what it keeps.
    case dropFromKernel
    /// A rename that a crash interrupted can neither be finished nor undone. The next mount tries again.
    case finishRename
    /// A directory that a rename of several steps has changed can't be synchronized.
    case synchronizeRename
}

/// Takes notices to the sink, which tells people. The lock is a leaf.
final class Notices: Sendable {
    typealias Sink = @Sendable (UnionNotice) -> Void

    private struct State {
        var sink: Sink?
        /// The notices that came up before there was a sink.
        var early: [UnionNotice] = []
        /// The keys of notices that are said only once, and were said already.
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

    /// Posts a notice. `once`: of all notices with that key, only the first is posted.
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
