public import LinuxSystem
public import SystemPackage

extension Union {
    /// statfs(2) of the layer where new files go. If none can be found, of the topmost layer.
    public func fileSystemStatus(_ id: NodeID) throws(Errno) -> FileSystemStatus {
        try createLayer(id).root.descriptor.fileSystem()
    }

    private func createLayer(_ id: NodeID) -> Layer {
        guard let node = try? resolver.node(id), node.isDirectory, let view = try? resolver.view(of: node),
            let candidates = try? changes.candidates(for: .create, "", in: node, view)
        else { return stack[0] }
        return candidates.first
    }
}
