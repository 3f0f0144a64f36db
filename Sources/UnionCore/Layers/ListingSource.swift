internal import LinuxSystem
internal import SystemPackage

/// One real directory that a listing is made of.
struct ListingSource: Sendable {
    let layer: Layer
    let filesystem: FilesystemFacts
    let marks: Marks
    /// Whether it is the layer's root directory.
    let isRoot: Bool
    /// The size in bytes, as the filesystem tells.
    let size: Int64
    /// The filter for a directory of proc that isn't shown whole.
    var filter: ListingFilter?

    /// Whether a directory listed by the upper may be a skeleton.
    var mayHoldSkeletons: Bool { layer.isUpper && (isRoot || marks.mayHoldSkeletons) }
}

/// One open real directory of a listing.
struct OpenSource: ~Copyable, Sendable {
    let source: ListingSource
    let directory: OwnedDescriptor

    consuming func intoDirectory() -> OwnedDescriptor { directory }
}
