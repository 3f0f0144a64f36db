internal import UnionCore

/// The node that an object is watched for, and the layer that has the object.
struct Owner: Equatable {
    let node: NodeID
    let layer: Int
}

/// All owners of a watch. There is nearly always one; `others` may be empty.
struct Owners {
    let first: Owner
    let others: [Owner]
}
