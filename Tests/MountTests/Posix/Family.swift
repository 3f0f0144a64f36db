import SwitchTestKit

/// The groups of scenarios, one per kind of call.
enum Family: String, CaseIterable, Sendable {
    case chmod, chown, create, existing, open, access, remove, sticky, rename, renameRights, link, truncate
    case times, names, search, privileges, files, symlinks

    var scenarios: [Scenario] {
        switch self {
        case .chmod: Scenarios.chmod
        case .chown: Scenarios.chown
        case .create: Scenarios.create
        case .existing: Scenarios.existing
        case .open: Scenarios.open
        case .access: Scenarios.access
        case .remove: Scenarios.remove
        case .sticky: Scenarios.sticky
        case .rename: Scenarios.rename
        case .renameRights: Scenarios.renameRights
        case .link: Scenarios.link
        case .truncate: Scenarios.truncate
        case .times: Scenarios.times
        case .names: Scenarios.names
        case .search: Scenarios.search
        case .privileges: Scenarios.privileges
        case .files: Scenarios.files
        case .symlinks: Scenarios.symlinks
        }
    }
}

/// The generated scenarios.
enum Scenarios {
    /// The owner of most objects, in two groups besides its own.
    static let owner = Identity.alice
    /// In one of the owner's groups.
    static let friend = Identity(uid: 54323, gid: 54323, groups: [54400])
    static let stranger = Identity.bob
    static let everyone = [Identity.root, owner, friend, stranger]

    /// An object of a kind with mode and owner.
    static func object(
        _ kind: PosixCall.Kind, _ path: TestPath, mode: UInt32? = nil, uid: UInt32 = 0, gid: UInt32 = 0
    ) -> [PosixCall] {
        var calls: [PosixCall] = [.make(kind, path), .lchown(path, uid, gid)]
        if let mode, kind != .symlink { calls.append(.chmod(path, mode)) }
        return calls
    }

    /// Every way of making something new at a path.
    static func makers(_ path: TestPath) -> [PosixCall] {
        [
            .mkdir(path, 0o777), .mknod(path, 0o010666, 0, 0), .mknod(path, 0o100666, 0, 0),
            .mknod(path, 0o020666, 1, 3), .mknod(path, 0o140666, 0, 0), .symlink("nowhere", path),
            .open(path, 0o101, 0o666, []), .open(path, 0o302, 0o6777, [.write("x")]),
        ]
    }

    /// Every call that takes a path, with arguments that would do on an ordinary file.
    static func onPath(_ path: TestPath) -> [PosixCall] {
        [
            .chmod(path, 0o640), .chown(path, 54321, 54400), .lchown(path, 54321, 54321), .stat(path),
            .lstat(path), .access(path, 4), .access(path, 0), .truncate(path, 3), .readlink(path),
            .utimens(path, 5, 6, follow: true), .utimens(path, Sys.now, Sys.now, follow: false),
            .open(path, 0, 0, []), .open(path, 1, 0, []), .open(path, 0o200000, 0, []), .list(path),
            .statfs(path), .link(path, "linked"), .link("other", path), .rename(path, "renamed", 0),
            .rename("other", path, 0), .unlink(path), .rmdir(path),
        ] + makers(path)
    }
}
