import SwitchTestKit

/// What is measured.
enum System: String, CaseIterable, Sendable {
    /// The directory itself, through a bind mount.
    case native
    case overlay
    case fuseOverlayfs = "fuse-overlayfs"
    case mergerfs
    case unionfs = "unionfs-fuse"
    case switchfs
    /// Another build of switchfs to compare with.
    case baseline

    var name: String { rawValue }

    static func named(_ name: String) -> System? { System(rawValue: name) }

    static let unions = allCases.filter { $0 != .native }
}
