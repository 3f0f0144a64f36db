import Glibc
import SwitchTestKit
import SystemPackage
import Testing

/// cgroups given to a user: he moves processes within them, and nobody else's, through the union as directly.
@Suite(.serialized, .enabled(if: Machine.canMount, "needs root and /dev/fuse"))
struct DelegationTests {
    static let versions = CgroupTests.versions
    static let callers: [Identity] = [
        .root, .alice, .bob, Identity(uid: 54333, gid: 54333, capabilities: [1]),
        Identity(uid: 0, gid: 0, capabilities: []), Identity(uid: 54336, gid: 54336, groups: [54400]),
    ]

    /// A tree with `mine/one` and `mine/two`, alice's with all that can be delegated, and `others`, root's.
    private func withDelegation(
        _ version: CgroupTests.Version, options: [String] = [], _ body: (Union, Cgroup) throws -> Void
    ) throws {
        try withCgroup(in: version.hierarchy, "delegated-\(version)") { group throws in
            for name in ["mine", "mine/one", "mine/two", "others"] as [TestPath] {
                let path = try group.make(name)
                guard name != "others" else { continue }
                try Sys.changeOwner(path, uid: 54321, gid: 54400)
                for file in ["cgroup.procs", "cgroup.threads", "cgroup.subtree_control", "tasks"]
                    as [TestPath]
                where Sys.exists(path / file) {
                    try Sys.changeOwner(path / file, uid: 54321, gid: 54400)
                    try Sys.changeMode(path / file, 0o664)
                }
            }
            try withScratch { scratch throws in
                let upper = try scratch.directory("upper")
                try withUnion(in: scratch, upper: upper, lowers: [group.path], options: options) {
                    try body($0, group)
                }
            }
        }
    }

    /// Who may move whose process from where to where.
    @Test(arguments: versions)
    func movesAsDirectly(version: CgroupTests.Version) throws {
        try withDelegation(version) { union, group throws in
            let ownersProcess = try sleeper(of: .alice)
            let rootsProcess = try sleeper(of: .root)
            defer {
                ownersProcess.end()
                rootsProcess.end()
            }
            var answers: Set<String> = []
            for process in [ownersProcess, rootsProcess] {
                for (from, to) in [("mine/one", "mine/two"), ("others", "mine/one"), ("mine/one", "others")]
                    as [(TestPath, TestPath)]
                {
                    for caller in Self.callers {
                        let outcomes = try [group.path, union.mount].map { root -> String in
                            try Sys.overwrite(group.path / from / "cgroup.procs", "\(process.pid)\n")
                            let error = try acting(as: caller) {
                                failure {
                                    try Sys.overwrite(root / to / "cgroup.procs", "\(process.pid)\n")
                                }
                            }
                            let moved = try Cgroup.processes(group.path / to).contains(process.pid)
                            return "\(error?.name ?? "ok"), \(moved ? "moved" : "not moved")"
                        }
                        #expect(outcomes[1] == outcomes[0], "\(from) to \(to) as \(caller)")
                        answers.insert(outcomes[0])
                    }
                }
            }
            #expect(answers.contains("ok, moved") && answers.count > 1)
        }
    }

    /// The right to move is the opener's, and stays with the open file.
    @Test(arguments: versions)
    func anOpenFileKeepsItsOpenersRights(version: CgroupTests.Version) throws {
        try withDelegation(version) { union, group throws in
            let process = try sleeper(of: .root)
            defer { process.end() }
            var answers: Set<String> = []
            for opener in Self.callers {
                for writer in Self.callers {
                    let outcomes = try [group.path, union.mount].map { root -> String in
                        try Sys.overwrite(group.path / "others/cgroup.procs", "\(process.pid)\n")
                        let path = root / "mine/one/cgroup.procs"
                        let file = try acting(as: opener) { try? Sys.open(path, O_WRONLY) }
                        return try acting(as: writer) { () -> String in
                            guard let file else { return "not opened" }
                            return failure { try file.write("\(process.pid)\n") }?.name ?? "moved"
                        }
                    }
                    #expect(outcomes[1] == outcomes[0], "opened by \(opener), written by \(writer)")
                    answers.insert(outcomes[0])
                }
            }
            #expect(answers.contains("moved") && answers.count > 1)
        }
    }

    @Test(.enabled(if: Machine.cgroup2 != nil, "needs a writable cgroup v2"))
    func controllersAndThreads() throws {
        try withDelegation(.v2) { union, group throws in
            let known = try Sys.text(group.path / "mine/cgroup.controllers").split(separator: " ").first
            let controller = known.map(String.init) ?? "nonsense"
            for caller in Self.callers {
                for (path, value) in [
                    ("mine/cgroup.subtree_control", "+\(controller)"),
                    ("mine/cgroup.subtree_control", "-\(controller)"),
                    ("others/cgroup.subtree_control", "+\(controller)"), ("others/cgroup.max.depth", "5"),
                    ("mine/one/cgroup.type", "threaded"), ("mine/cgroup.freeze", "0"),
                ] as [(TestPath, String)] {
                    let outcomes = try [group.path, union.mount].map { root in
                        try acting(as: caller) {
                            failure { try Sys.overwrite(root / path, value + "\n") }?.name ?? "ok"
                        }
                    }
                    #expect(outcomes[1] == outcomes[0], "\(value) to \(path) as \(caller)")
                }
            }
        }
    }

    /// Groups that a user makes and removes are his, and in nobody else's directory.
    @Test(arguments: versions)
    func makesAndRemovesGroups(version: CgroupTests.Version) throws {
        try withDelegation(version, options: ["mkdir=lower"]) { union, group throws in
            for caller in Self.callers {
                for parent in ["mine", "others", ""] as [TestPath] {
                    let outcomes = try [group.path, union.mount].map { root -> String in
                        let (path, real) = (root / parent / "made", group.path / parent / "made")
                        let made = try acting(as: caller) { failure { try Sys.makeDirectory(path) } }
                        let owner = (try? Sys.facts(real)).map { "\($0.uid):\($0.gid)" }
                        let procs = (try? Sys.facts(real / "cgroup.procs")).map { "\($0.uid):\($0.gid)" }
                        let changed = try acting(as: caller) { failure { try Sys.changeMode(path, 0o700) } }
                        let removed = try acting(as: caller) { failure { try Sys.removeDirectory(path) } }
                        try? Sys.removeDirectory(real)
                        let errors = [made, changed, removed].map { $0?.name ?? "ok" }
                        return "\(errors) \(owner ?? "none") \(procs ?? "none")"
                    }
                    #expect(outcomes[1] == outcomes[0], "in \(parent) as \(caller)")
                }
            }
        }
    }

    private func sleeper(of who: Identity) throws -> Child {
        let prefix =
            who == .root ? [] : ["setpriv", "--reuid=\(who.uid)", "--regid=\(who.gid)", "--clear-groups"]
        let child = try Child(prefix + ["sleep", "600"])
        try eventually("it is the user's") {
            try Sys.text(TestPath("/proc/\(child.pid)/comm")) == "sleep\n"
        }
        return child
    }
}
