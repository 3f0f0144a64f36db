internal import LinuxSystem
internal import SystemPackage

/// What of a file of a pseudo filesystem depends on the caller, besides the credentials. `docs/security.md`
/// has the list, with the reasons.
struct ActingFile: Sendable {
    enum Role: Sendable {
        case plain
        /// The file holds numbers of processes; 0 is the writer.
        case processList
        /// The filesystem would take a write for the server's own. Or what is written names descriptors,
        /// which would be the server's.
        case refusesWriting(Errno)
    }

    let type: FileSystemType
    let role: Role
    /// Whether the file is about a thread of the server. The server's own threads see such a file with other
    /// eyes.
    let isServers: Bool
    /// Whether it may be another real file in other namespaces, or say other things.
    let showsNamespaces: Bool
    /// Whether each namespace has a real file of its own.
    let hasFilesOfItsOwn: Bool
    /// Where a write to it makes control files of cgroups come and go.
    let controlScope: ControlScope?
    /// Whether what is written to it is a path, with or without a slash.
    private let takesPath: Bool

    /// Whether it has paths in it, which begin at the reader's root.
    private let showsPaths: Bool

    /// `path`: of a proc filesystem, from its root; of another one, as much as is known. nil: it is on a proc
    /// filesystem whose root isn't known, so it may be any file.
    init(_ type: FileSystemType, path: PathRef?, isServers: Bool) {
        self.type = type
        self.isServers = isServers
        let mayBeAny = path == nil && type == .proc
        let path = path ?? ""
        let (directory, name) = path.lastTwoNames
        role = Self.role(type, name, in: directory)
        controlScope = type.isControlGroups ? ControlScope(writtenTo: name) : nil
        takesPath = name == "backing_dev" || name == "file" || name == "device_path"
        hasFilesOfItsOwn = mayBeAny || type == .proc && path.isBelow("sys")
        showsNamespaces = mayBeAny || type == .proc && Self.showsNamespaces(path, name)
        showsPaths = mayBeAny || type == .proc && Self.showsPaths(name)
    }

    /// Whether what is read depends on the reader's credentials.
    var mindsReader: Bool { !type.isControlGroups }

    private static func role(_ type: FileSystemType, _ name: PathRef, in directory: PathRef) -> Role {
        switch type {
        case .cgroup, .cgroup2:
            if name == "cgroup.procs" || name == "cgroup.threads" || name == "tasks" { return .processList }
            return name == "cgroup.event_control" ? .refusesWriting(.badFileDescriptor) : .plain
        case .resourceControl:
            return name == "tasks" ? .processList : .plain
        case .trace, .debug:
            if name.hasPrefix("trace_marker") { return .refusesWriting(.invalidArgument) }
            return directory == "provoke-crash" ? .refusesWriting(.notPermitted) : .plain
        case .security, .smack:
            let isOwn = name == "self_domain" || name.hasSuffix("-self") || name.hasSuffix("-self2")
            return isOwn ? .refusesWriting(.notPermitted) : .plain
        default:
            return .plain
        }
    }

    /// Whether a file of proc depends on namespaces. These are the switches, System V's objects, and of
    /// processes whatever tells numbers of users and paths of groups.
    private static func showsNamespaces(_ path: PathRef, _ name: PathRef) -> Bool {
        if path.isBelow("sys") || path.isBelow("sysvipc") || path == "stat" { return true }
        return name == "cgroup" || name == "cpuset" || name == "status" || name == "uptime"
            || name == "loadavg"
            || name == "setgroups" || name.hasSuffix("id_map") || name.hasPrefix("key")
    }

    private static func showsPaths(_ name: PathRef) -> Bool {
        name == "maps" || name.hasPrefix("smaps") || name == "numa_maps" || name == "swaps"
    }
}

// The namespaces of the caller's in which a call must be made. Each name here costs every call some
// microseconds.
extension ActingFile {
    func opening(_ flags: OpenFlags) -> Namespaces {
        switch type {
        case .proc: showsNamespaces ? Self.allButMounts : .user
        case .bpf: [.user, .process, .network]
        case .cgroup, .cgroup2: flags.writes ? [.user, .cgroup] : []
        default: flags.writes ? [.user] : []
        }
    }

    var reading: Namespaces {
        if case .processList = role { return .process }
        return switch type {
        case .proc: shown
        case .messageQueues: .process
        default: []
        }
    }

    var writing: Namespaces {
        if case .processList = role { return .process }
        return switch type {
        case .proc: shown.subtracting(.mount)
        case .cgroup, .cgroup2: []
        // Some of these files take paths, and names of devices.
        default: [.user, .mount, .process, .network]
        }
    }

    /// The namespaces to enter because the text may be a path, which starts at the writer's root or working
    /// directory.
    func entered(for text: UnsafeRawBufferPointer) -> Namespaces {
        guard writing.contains(.mount) else { return [] }
        if takesPath { return .mount }
        return unsafe text.contains(0x2f) ? .mount : []
    }

    /// Those for a directory: only directories of switches have other entries elsewhere.
    var listing: Namespaces {
        hasFilesOfItsOwn ? [.user, .process, .network, .hostName, .ipc] : []
    }

    /// Those for a link of proc. Its user namespace decides whether it may be read, and its text is a path.
    static var readingLink: Namespaces { [.user, .mount] }

    /// Those for reading a file of proc.
    private var shown: Namespaces {
        let paths: Namespaces = showsPaths ? .mount : []
        return paths.union(showsNamespaces ? Self.allButMounts : .user)
    }

    private static var allButMounts: Namespaces {
        [.user, .process, .network, .hostName, .ipc, .cgroup, .time]
    }
}

extension PathRef {
    /// The last name, and the one before it.
    fileprivate var lastTwoNames: (directory: PathRef, name: PathRef) {
        guard let slash = lastIndex(of: 0x2f) else { return ("", self) }
        let name = dropFirst(slash + 1)
        var start = slash
        while start > 0 && self[start - 1] != 0x2f { start -= 1 }
        let directory = unsafe PathRef(unsafe: base + start, count: slash - start)
        return (directory, name)
    }

    /// Whether the path's first name is `first`, and something follows.
    fileprivate func isBelow(_ first: PathRef) -> Bool {
        count > first.count && hasPrefix(first) && self[first.count] == 0x2f
    }
}
