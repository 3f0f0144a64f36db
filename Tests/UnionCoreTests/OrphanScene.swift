import Glibc
import LinuxSystem
import SystemPackage
import Testing
import UnionCore

/// What the lower and the upper of an orphan test are.
enum SceneKind: String, Sendable, CaseIterable, CustomTestStringConvertible {
    case ext4
    case tmpfs
    case cgroup2
    case cgroup1
    case bpffsOverCgroup2
    case bpffsOverTmpfs

    var testDescription: String { rawValue }
    var lowerIsCgroup: Bool { cgroupRoot != nil || self == .cgroup1 || self == .cgroup2 }
    var upperIsBPF: Bool { self == .bpffsOverCgroup2 || self == .bpffsOverTmpfs }

    /// Where cgroups for this kind are made.
    var cgroupRoot: String? {
        switch self {
        case .cgroup2, .bpffsOverCgroup2: Self.mount(of: "cgroup2")
        case .cgroup1: Self.mount(of: "cgroup", avoiding: "cpuset")
        default: nil
        }
    }

    /// What this machine can do; why it can't do the rest is printed once.
    static let available: [SceneKind] = allCases.filter { kind in
        guard let reason = kind.obstacle else { return true }
        print("orphan tests on \(kind.rawValue) are skipped: \(reason)")
        return false
    }

    /// Those whose directories can be renamed.
    static let renaming: [SceneKind] = available.filter { !$0.lowerIsCgroup }

    private var obstacle: String? {
        if self == .ext4 { return nil }
        if geteuid() != 0 { return "not root" }
        let isCgroup = self != .tmpfs && self != .bpffsOverTmpfs
        if isCgroup {
            guard let root = cgroupRoot else { return "no such hierarchy is mounted" }
            let probe = "\(root)/switchfs-probe-\(getpid())-\(rawValue)"
            guard shell("mkdir \(probe) && rmdir \(probe)") == 0 else { return "\(root) takes no cgroups" }
        }
        guard upperIsBPF else { return nil }
        let probe = "/tmp/switchfs-probe-\(getpid())-\(rawValue)"
        let mounted = shell("mkdir \(probe); mount -t bpf none \(probe); umount \(probe)") == 0
        shell("rmdir \(probe)")
        return mounted ? nil : "bpffs can't be mounted"
    }

    private static func mount(of type: String, avoiding word: String = "\0") -> String? {
        let mounts = (try? MountInfo.all()) ?? []
        return mounts.first { $0.fileSystemType == type && !$0.superOptions.contains(word) }?.mountPointString
    }
}

/// Directories for a union that is opened several times over them.
final class OrphanScene: Sendable {
    let kind: SceneKind
    let base: String
    let lower: String
    var upper: String { base + "/upper" }
    var work: String { base + "/work" }

    init(_ kind: SceneKind) throws {
        self.kind = kind
        let name = "switchfs-orphans-\(getpid())-\(UInt64.random(in: 0 ... .max))"
        base = "/tmp/" + name
        lower = kind.cgroupRoot.map { $0 + "/" + name } ?? base + "/lower1"
        try #require(shell("mkdir -p \(base)/upper \(base)/work; mkdir \(lower)") == 0)
        if kind == .tmpfs || kind == .bpffsOverTmpfs {
            try #require(shell("mount -t tmpfs none \(lower)") == 0)
        }
        if kind.upperIsBPF { try #require(shell("mount -t bpf none \(base)/upper") == 0) }
    }

    deinit {
        if kind.cgroupRoot != nil { shell("find \(lower) -depth -type d -exec rmdir {} ';'") }
        shell(
            "for m in lower1 upper; do mountpoint -q \(base)/$m && umount -l \(base)/$m; done; rm -rf \(base)"
        )
    }

    /// The union; each call is a new mount of it.
    func open(_ orphans: OrphanPolicy, readOnly: Bool = false) throws -> Fixture {
        var configuration = UnionConfiguration(
            layers: [LayerConfiguration(path: upper), LayerConfiguration(path: lower)], hasUpper: true)
        configuration.workDirectory = work
        configuration.policies.orphans = orphans
        configuration.policies.readOnly = readOnly
        return try Fixture(base: base, configuration: configuration)
    }

    /// Runs a script in the lower.
    func below(_ script: String, _ location: SourceLocation = #_sourceLocation) {
        #expect(shell("cd \(lower); \(script)") == 0, sourceLocation: location)
    }

    /// Whether the upper's filesystem has an entry of that name anywhere, the work area included.
    func keeps(_ name: String) -> Bool {
        shell("test -n \"$(find \(base)/upper \(base)/work -name \(name))\"") == 0
    }
}

extension Fixture {
    /// An upper entry that bpffs takes too.
    func note(_ path: String, _ text: String = "note") throws(Errno) {
        let parent = try self.parent(of: path)
        let name = lastName(of: path)
        let target = OwnedName(text)
        _ = try union.makeSymlink(parent, name.ref, target: target.ref, root)
    }

    /// What the union shows in a directory, control files of cgroups left out.
    func notes(_ path: String) throws(Errno) -> [String] {
        let control: Set = ["tasks", "release_agent", "notify_on_release"]
        return try names(path).filter { !$0.contains(".") && !control.contains($0) }
    }
}
