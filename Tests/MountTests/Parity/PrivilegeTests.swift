import Glibc
import SwitchTestKit
import SystemPackage
import Testing

/// What else decides over rights: file capabilities, ACLs, mount options, capabilities that a process brings.
@Suite(.enabled(if: Machine.canMount, "needs root and /dev/fuse"))
struct PrivilegeTests {
    static let callers: [Identity] = [
        .root, Identity(uid: 54321, gid: 54321), .bob, Identity(uid: 54336, gid: 54336, capabilities: [4]),
        Identity(uid: 0, gid: 0, capabilities: [1]),
    ]

    /// cap_net_raw, permitted: <linux/capability.h>, revision 2.
    private static let fileCapabilities: [UInt8] =
        [0, 0, 0, 2, 0, 0x20, 0, 0] + [UInt8](repeating: 0, count: 12)

    @Test(arguments: ["auto", "off"])
    func writesTakeFileCapabilitiesAway(passthrough: String) throws {
        try withScratch(below: SharedDisk.path) { scratch throws in
            let native = try scratch.directory("native")
            let lower = try scratch.directory("lower")
            for layer in [native, lower] {
                for index in 0..<(Self.callers.count * Self.changes.count) {
                    let path = layer / "f\(index)"
                    try Sys.put(path, "0123456789")
                    try Sys.changeOwner(path, uid: 54321, gid: 54321)
                    try Sys.changeMode(path, 0o6777)
                    try Sys.setXattr(path, "security.capability", bytes: Self.fileCapabilities)
                }
            }
            try withUnion(
                in: scratch, upper: try scratch.directory("upper"), lowers: [lower],
                options: ["passthrough=\(passthrough)"]
            ) { union throws in
                var index = 0
                var kept: Set<Bool> = []
                for caller in Self.callers {
                    for (name, change) in Self.changes {
                        let outcomes = try [native, union.mount].map { root -> String in
                            let path = root / "f\(index)"
                            let error = try acting(as: caller) { failure { try change(path) } }
                            let left = (try? Sys.xattr(path, "security.capability")) != nil
                            kept.insert(left)
                            let mode = String(try Sys.facts(path).permissions, radix: 8)
                            return "\(error?.name ?? "ok") \(mode) \(left)"
                        }
                        #expect(outcomes[1] == outcomes[0], "\(name) as \(caller)")
                        index += 1
                    }
                }
                #expect(kept == [true, false])
            }
        }
    }

    private static let changes: [(String, @Sendable (TestPath) throws(Errno) -> Void)] = [
        ("write", { (path) throws(Errno) in try Sys.open(path, O_WRONLY).write("x") }),
        ("append", { (path) throws(Errno) in try Sys.open(path, O_WRONLY | O_APPEND).write("x") }),
        ("read", { (path) throws(Errno) in _ = try Sys.open(path, O_RDONLY).read(3) }),
        ("truncate", { (path) throws(Errno) in try Sys.truncate(path, to: 3) }),
        ("open to truncate", { (path) throws(Errno) in _ = try Sys.open(path, O_WRONLY | O_TRUNC) }),
        ("chown", { (path) throws(Errno) in try Sys.changeOwner(path, uid: 54321) }),
        ("chmod", { (path) throws(Errno) in try Sys.changeMode(path, 0o755) }),
        ("touch", { (path) throws(Errno) in try Sys.changeTimes(path, modified: Sys.now) }),
    ]

    /// Access ACLs decide for users and groups that they name; default ACLs for what is made.
    @Test func accessControlListsCount() throws {
        let user = Identity.bob
        let member = Identity(uid: 54331, gid: 54331, groups: [54500])
        let lists: [PosixACL] = [
            PosixACL([(.owner, 6), (.user(54322), 6), (.group, 0), (.mask, 6), (.other, 0)]),
            PosixACL([(.owner, 6), (.user(54322), 6), (.group, 0), (.mask, 4), (.other, 0)]),
            PosixACL([(.owner, 6), (.user(54322), 0), (.group, 6), (.mask, 6), (.other, 6)]),
            PosixACL([(.owner, 6), (.group, 0), (.namedGroup(54500), 6), (.mask, 7), (.other, 0)]),
            PosixACL([(.owner, 6), (.group, 0), (.namedGroup(54500), 4), (.mask, 7), (.other, 6)]),
        ]
        try withScratch(below: SharedDisk.path) { scratch throws in
            let native = try scratch.directory("native")
            let lower = try scratch.directory("lower")
            for layer in [native, lower] {
                for (index, list) in lists.enumerated() {
                    try Sys.put(layer / "f\(index)", "x")
                    try Sys.setXattr(layer / "f\(index)", PosixACL.access, bytes: list.bytes)
                    try Sys.makeDirectory(layer / "d\(index)")
                    try Sys.changeMode(layer / "d\(index)", 0o2777)
                    try Sys.changeOwner(layer / "d\(index)", uid: 54321, gid: 54400)
                    try Sys.setXattr(layer / "d\(index)", PosixACL.default, bytes: list.bytes)
                }
            }
            try withUnion(
                in: scratch, upper: try scratch.directory("upper"), lowers: [lower], options: ["create=lower"]
            ) { union throws in
                for (number, caller) in (Self.callers + [user, member]).enumerated() {
                    for index in lists.indices {
                        let outcomes = try [native, union.mount].map { root -> [String] in
                            let new = root / "d\(index)/new\(number)"
                            let errors = try acting(as: caller, umask: 0o077) {
                                [
                                    failure { _ = try Sys.open(root / "f\(index)", O_RDONLY) },
                                    failure { _ = try Sys.open(root / "f\(index)", O_WRONLY) },
                                    failure { _ = try Sys.open(new, O_RDWR | O_CREAT, mode: 0o666) },
                                    failure { try Sys.access(root / "f\(index)", R_OK | W_OK) },
                                    failure { try Sys.setXattr(new, PosixACL.access, bytes: lists[0].bytes) },
                                ].map { $0?.name ?? "ok" }
                            }
                            let facts = try Sys.facts(new)
                            let list = (try? Sys.xattr(new, PosixACL.access)) ?? []
                            return errors + ["\(facts.mode) \(facts.uid):\(facts.gid)", "\(list)"]
                        }
                        #expect(outcomes[1] == outcomes[0], "list \(index) as \(caller)")
                    }
                }
            }
        }
    }

    /// suid programs and devices work, and don't where the mount says so.
    @Test(arguments: [[], ["nosuid"], ["nodev"], ["noexec"]])
    func mountOptionsCount(options: [String]) throws {
        let program = try #require(Machine.program("id"))
        try withScratch(below: SharedDisk.path) { scratch throws in
            let lower = try scratch.directory("lower")
            try run("cp", program, (lower / "id").text).orThrow()
            try Sys.changeMode(lower / "id", 0o4755)
            try Sys.makeNode(lower / "null", mode: S_IFCHR | 0o666, major: 1, minor: 3)
            try Sys.changeMode(lower / "null", 0o666)
            try withUnion(
                in: scratch, upper: try scratch.directory("upper"), lowers: [lower], options: options
            ) { union throws in
                let ran = try run([union["id"].text, "-u"], as: .bob)
                let device = try acting(as: .bob) { failure { _ = try Sys.open(union["null"], O_RDWR) } }
                #expect(
                    ran.output
                        == (options == [] || options == ["nodev"]
                            ? "0\n" : options == ["nosuid"] ? "54322\n" : ""))
                #expect(device == (options == ["nodev"] ? .permissionDenied : nil))
            }
        }
    }

    /// A program that was started with a capability has it through the union, as directly, and loses it with it.
    @Test func capabilitiesOfPrograms() throws {
        try withScratch(below: SharedDisk.path) { scratch throws in
            let lower = try scratch.directory("lower")
            try Sys.put(lower / "secret", "s", mode: 0o600)
            try withUnion(in: scratch, upper: try scratch.directory("upper"), lowers: [lower]) {
                union throws in
                for (who, reads) in [
                    (Identity(uid: 54333, gid: 54333, capabilities: [1]), true),
                    (Identity(uid: 54333, gid: 54333, capabilities: [2]), true),
                    (Identity(uid: 54333, gid: 54333, capabilities: [0]), false),
                    (Identity(uid: 54333, gid: 54333), false),
                ] {
                    for root in [lower, union.mount] {
                        let read = try run("cat", (root / "secret").text, as: who)
                        #expect(read.succeeded == reads, "\(root) as \(who)")
                    }
                }
                let changed = try run(
                    "chown", "54333", union["secret"].text, as: Identity(uid: 1, gid: 1, capabilities: [0]))
                #expect(changed.succeeded)
                #expect(try Sys.facts(lower / "secret").uid == 54333)
            }
        }
    }

    /// Root of a user namespace of its own is root over nothing here, on files that act least of all.
    @Test func rootOfAnotherNamespaceIsNobody() throws {
        guard try run("unshare", "--user", "--map-root-user", "true").succeeded else {
            return print("user namespaces can't be made here")
        }
        try withScratch { scratch throws in
            let proc = try scratch.proc("proc")
            try withUnion(in: scratch, upper: try scratch.directory("upper"), lowers: [proc]) {
                union throws in
                for root in [proc, union.mount] {
                    let path = (root / "sys/kernel/ns_last_pid").text
                    let script = "echo 100000 >\(path)"
                    let ran = try run("unshare", "--user", "--map-root-user", "sh", "-c", script)
                    #expect(!ran.succeeded, "\(root)")
                    let read = try run(
                        "unshare", "--user", "--map-root-user", "cat", (root / "1/environ").text)
                    #expect(!read.succeeded, "\(root)")
                }
            }
        }
    }
}
