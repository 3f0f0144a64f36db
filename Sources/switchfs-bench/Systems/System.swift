import SwitchTestKit

/// What is measured.
enum System: String, CaseIterable, Sendable {
    /// The directory itself, through a bind mount.
    case native
    /// The least server that there can be, of a tree in memory: what FUSE itself takes.
    case floor
    case overlay
    case fuseOverlayfs = "fuse-overlayfs"
    case mergerfs
    case unionfs = "unionfs-fuse"
    case switchfs
    /// Another build of switchfs to compare with.
    case baseline

    var name: String { rawValue }

    static func named(_ name: String) -> System? { System(rawValue: name) }

    /// Whether what is done in it is done to the layers, too; else it goes with the mount.
    var changesLayers: Bool { self != .floor }

    /// Whether its server tells how many requests it got.
    var countsRequests: Bool { self == .switchfs || self == .baseline }

    static let unions = allCases.filter { $0 != .native }
}
