import SwitchTestKit

/// Who makes the calls of the matrix, beside the objects' owner and their group.
enum ParityCaller: String, CaseIterable, Sendable {
    case root, owner, groupPrimary, groupSupplementary, other
    case overridesAccess, ownsAll, changesOwners, keepsSetID, rootWithoutCapabilities

    /// The objects' owner and group; the group is no group of the owner's own.
    static let ownerID: UInt32 = 54321
    static let group: UInt32 = 54400
    /// A group that the owner is in.
    static let ownersGroup: UInt32 = 54401

    var identity: Identity {
        switch self {
        case .root: .root
        case .owner: Identity(uid: Self.ownerID, gid: Self.ownerID, groups: [Self.ownersGroup])
        case .groupPrimary: Identity(uid: 54330, gid: Self.group)
        case .groupSupplementary: Identity(uid: 54331, gid: 54331, groups: [54399, Self.group])
        case .other: .bob
        case .overridesAccess: Identity(uid: 54333, gid: 54333, capabilities: [1])
        case .ownsAll: Identity(uid: 54334, gid: 54334, capabilities: [3])
        case .changesOwners: Identity(uid: 54335, gid: 54335, capabilities: [0])
        case .keepsSetID: Identity(uid: 54336, gid: 54336, capabilities: [4])
        case .rootWithoutCapabilities: Identity(uid: 0, gid: 0, capabilities: [])
        }
    }
}
