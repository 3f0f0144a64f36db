internal import UnionCore

/// The node that an object is watched for, and in which layer.
struct Owner: Equatable {
    let node: NodeID
    let layer: Int
}

/// All owners of a watch: nearly always one; `others` may be empty.
struct Owners {
    let first: Owner
    let others: [Owner]
}
