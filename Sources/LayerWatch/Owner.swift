internal import UnionCore

/// Whom an object is watched for; 16 bytes, for there are hundreds of thousands.
struct Owner: Equatable {
    let node: NodeID
    private let shortLayer: Int32

    var layer: Int { Int(shortLayer) }

    init(node: NodeID, layer: Int) {
        self.node = node
        shortLayer = Int32(truncatingIfNeeded: layer)
    }
}
