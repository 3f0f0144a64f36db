internal import LinuxSystem
internal import SystemPackage

/// All layers of a union, top to bottom.
final class LayerStack: Sendable {
    let layers: [Layer]
    let upper: Layer?
    let filesystems: Filesystems

    init(_ configuration: UnionConfiguration) throws(UnionOpenError) {
        guard !configuration.layers.isEmpty else { throw UnionOpenError("a union needs at least one layer") }
        let filesystems = Filesystems()
        var layers: [Layer] = []
        for (index, layer) in configuration.layers.enumerated() {
            layers.append(
                try Layer(
                    layer, index: index, isUpper: configuration.hasUpper && index == 0,
                    filesystems: filesystems))
        }
        self.layers = layers
        self.filesystems = filesystems
        upper = configuration.hasUpper ? layers.first : nil
    }

    var count: Int { layers.count }

    subscript(index: Int) -> Layer { layers[index] }

    /// How deep filesystems are stacked below the union: 1 on plain ones, 2 if a layer is a stack itself.
    var stackDepth: Int {
        layers.contains { $0.filesystem.type == .overlay } ? 2 : 1
    }
}
