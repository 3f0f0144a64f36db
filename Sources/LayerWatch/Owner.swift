internal import UnionCore

/// The node that an object is watched for, and the layer that has the object.
struct Owner: Equatable {
    let node: NodeID
    let layer: Int
    /// Whether the object is a cgroup: its watch tells of its control files, too.
    var isControlGroup = false
}

/// All owners of a watch. There is nearly always one; `others` may be empty.
struct Owners {
    let first: Owner
    let others: [Owner]
}
