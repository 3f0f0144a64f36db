internal import LinuxSystem
internal import Synchronization
internal import SystemPackage

extension Resolver {
    /// Runs a call on a node's real object in `layer`, with the caller's credentials. A file of a pseudo
    /// filesystem the caller must also be able to reach there: proc hides directories by the caller, and
    /// doesn't tell the union.
    func asCaller<R: ~Copyable>(
        _ caller: CallerIdentity, on node: Node, in layer: Layer, exact: Bool = false,
        _ call: () throws(Errno) -> R
    ) throws(Errno) -> R {
        guard node.filesystem.isPseudo else { return try caller.perform(exact: exact, call) }
        return try caller.perform(exact: true) { () throws(Errno) in
            try checkReach(of: node, in: layer)
            return try call()
        }
    }

    private func checkReach(of node: Node, in layer: Layer) throws(Errno) {
        do throws(Errno) {
            guard let found = try reach(node, in: layer) else { return }
            let status = try found.descriptor.status()
            guard node.identity.matches(status) else { throw .staleNFSFileHandle }
        } catch .noSuchFileOrDirectory {
            // Its cgroup has gone: it is reached by an open file alone.
            let openFiles = node.state.withLock { $0.openFiles }
            guard node.filesystem.isControlGroups, openFiles?.anyHandle != nil else {
                throw .noSuchFileOrDirectory
            }
        }
    }

    /// Checks that the caller can reach one of the real directories that back a node. ENOENT: another
    /// directory stands there by now.
    func checkReach(of node: Node, in backing: Backing) throws(Errno) {
        guard let found = try reach(node, in: backing.layer) else { return }
        let status = try backing.directory.status()
        guard ObjectIdentity(status, on: nil).matches(try found.descriptor.status()) else {
            throw .noSuchFileOrDirectory
        }
    }

    /// Walks to the node's path in `layer`, with the thread's credentials. nil: it is a layer's root, which
    /// all callers may reach, or it has no name any more.
    func reach(_ node: Node, in layer: Layer) throws(Errno) -> OwnedDescriptor? {
        guard !node.isRoot, let path = try? path(of: node, in: layer) else { return nil }
        return try layer.openObject(at: path.ref)
    }
}
