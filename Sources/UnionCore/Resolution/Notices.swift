internal import LinuxSystem
internal import Synchronization

/// What a person should know of, and can do something about.
public enum UnionNotice: Sendable {
    /// Nothing of what is at that path of the union is shown: it has a mark of overlayfs that can't be followed.
    case notFollowed(path: String, layer: Int, RedirectObstacle)
    /// What is at a layer's own path isn't the directory that the union was given, or is it again (nil).
    case root(layer: Int, path: String, RootChange?)
}

/// Takes notices to who tells people. The lock is a leaf.
final class Notices: Sendable {
    typealias Sink = @Sendable (UnionNotice) -> Void

    private struct State {
        var sink: Sink?
        /// What was said already that is said but once.
        var said: Set<String> = []
    }

    private let state = Mutex(State())

    func deliver(to sink: @escaping Sink) { state.withLock { $0.sink = sink } }

    /// `once`: the second notice of that key, and all further ones, are nothing new.
    func post(_ notice: @autoclosure () -> UnionNotice, once key: String? = nil) {
        let sink: Sink? = state.withLock { state in
            if let key, !state.said.insert(key).inserted { return nil }
            return state.sink
        }
        sink?(notice())
    }
}
