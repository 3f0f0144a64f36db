internal import LinuxSystem
internal import SystemPackage

/// One of the real directories that back a union directory, open (O_PATH).
struct Backing: Sendable {
    let layer: Layer
    let directory: FileDescriptor
    /// Whether it is a layer's root, which stays open.
    let isRoot: Bool
    /// The marks on it, if they are known for as long as the view is.
    var marks: Marks?
    /// Whether to close it with the view.
    var isOwned: Bool
    /// `Makeup.part`, if it was looked at: an open directory stays what it is.
    var part: UInt64?
}
