internal import LinuxSystem
internal import Synchronization

/// What a person should know, and can do something about.
public enum UnionNotice: Sendable {
    /// The union shows nothing of what is at that path: it has a mark of overlayfs that can't be followed.
    case notFollowed(path: String, layer: Int, RedirectObstacle)
    /// What is at a layer's own path isn't the directory that the union was given. nil: it is that directory
    /// again.
    case root(layer: Int, path: String, RootChange?)
}

/// Takes notices to the sink, which tells people. The lock is a leaf.
final class Notices: Sendable {
    typealias Sink = @Sendable (UnionNotice) -> Void

    private struct State {
        var sink: Sink?
        /// The keys of notices that are said only once, and were said already.
        var said: Set<String> = []
    }

    private let state = Mutex(State())

    func deliver(to sink: @escaping Sink) { state.withLock { $0.sink = sink } }

    /// Posts a notice. `once`: of all notices with that key, only the first is posted.
    func post(_ notice: @autoclosure () -> UnionNotice, once key: String? = nil) {
        let sink: Sink? = state.withLock { state in
            if let key, !state.said.insert(key).inserted { return nil }
            return state.sink
        }
        sink?(notice())
    }
}
