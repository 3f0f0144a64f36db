public import LinuxSystem

/// What a branch selector is asked about.
public enum SelectedOperation: Sendable {
    case create
    case mkdir
    case read
}

/// A selector's answer.
public enum BranchChoice: Sendable, Equatable {
    /// No opinion: the mount's own options decide.
    case mountDefault
    case create(CreatePolicy)
    case read(ReadPolicy)
}

/// The policy that says which layer an operation on a path goes to.
///
/// It is asked on the request path, so an implementation must not block. It gets the union path as bytes
/// relative to the union's root, without a leading slash.
public protocol BranchSelector: Sendable {
    func choose(_ operation: SelectedOperation, path: PathRef) -> BranchChoice
}
