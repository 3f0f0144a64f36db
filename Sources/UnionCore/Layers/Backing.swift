internal import LinuxSystem
internal import SystemPackage

/// One of the real directories that back a union directory, open (O_PATH).
struct Backing: Sendable {
    let layer: Layer
    let directory: FileDescriptor
    /// A layer's root, which stays open.
    let isRoot: Bool
    /// What is marked on it, where that is known for as long as the view is.
    var marks: Marks?
    /// To be closed with the view.
    var isOwned: Bool
}
