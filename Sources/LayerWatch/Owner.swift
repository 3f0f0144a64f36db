internal import UnionCore

/// The node that an object is watched for, and in which layer.
struct Owner: Equatable {
    let node: NodeID
    let layer: Int
}

/// Everybody whom an object is watched for: nearly always one; `others` may be empty.
struct Owners {
    let first: Owner
    let others: [Owner]
}
