/// What is kept of directories' listings. It goes with an event, and with the node.
protocol KeptListings: Sendable {
    /// Something happened to the directory.
    func drop(_ directory: NodeID)
    /// It isn't known what happened.
    func dropAll()
    /// The kernel has forgotten the directory.
    func forget(_ directory: NodeID)
}
