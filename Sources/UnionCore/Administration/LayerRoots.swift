internal import LinuxSystem
internal import SystemPackage

extension Union {
    /// The layers' roots, for a watch from outside of the union.
    public var layerRoots: [LayerRoot] { stack.layers.map { LayerRoot($0) } }

    /// Notes that the path of a layer's root now leads elsewhere, or back (nil).
    public func noteRoot(_ root: LayerRoot, _ change: RootChange?) {
        guard stack.layers.indices.contains(root.layer) else { return }
        let before = stack[root.layer].rootChange
        stack[root.layer].note(rootChange: change)
        if before != nil && change != nil { return }
        layers.notices.post(.root(layer: root.layer, path: root.path, change))
    }
}
