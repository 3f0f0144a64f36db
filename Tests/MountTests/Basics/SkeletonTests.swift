import Glibc
import SwitchTestKit
import Synchronization
import SystemPackage
import Testing

/// A directory made in the upper to hold entries below a lower's directory: nobody notices.
@Suite(.enabled(if: Machine.canMount, "needs root and /dev/fuse"))
struct SkeletonTests {
    static let lower: Tree = [
        "a": .directory(
            [
                "b": TreeNode.directory(["l": "x"], mode: 0o2751).owned(by: 12, 34).modified(
                    1_000_000_000_000_000_000)
            ],
            mode: 0o1777
        ).owned(by: 56, 78)
    ]

    @Test func attributesAndNumberStay() throws {
        try withUnion(lower: Self.lower) { union throws in
            let before = try ["a", "a/b"].map { try Sys.facts(union[$0]) }
            let listed = try Sys.list(union["a"])
            try Sys.put(union["a/b/new"], "n")
            let after = try ["a", "a/b"].map { try Sys.facts(union[$0]) }
            for (old, new) in zip(before, after) {
                #expect(old.inode == new.inode)
                #expect(old.mode == new.mode && old.uid == new.uid && old.gid == new.gid)
            }
            // Nothing was made in `a` that a user could see.
            #expect(before[0].modified == after[0].modified)
            #expect(after[1].modified > before[1].modified)
            #expect(try Sys.list(union["a"]).map(\.inode) == listed.map(\.inode))
        }
    }

    @Test func skeletonCarriesTheOwnersAttributes() throws {
        try withUnion(lower: Self.lower) { union throws in
            try Sys.put(union["a/b/new"], "n")
            for name in ["a", "a/b"] as [TestPath] {
                let (real, copy) = (try Sys.facts(union.inLower(name)), try Sys.facts(union.inUpper(name)))
                #expect(real.mode == copy.mode && real.uid == copy.uid && real.gid == copy.gid, "\(name)")
            }
        }
    }

    @Test func aclsAreCarried() throws {
        let access = PosixACL([(.owner, 7), (.user(54322), 5), (.group, 0), (.mask, 5), (.other, 0)])
        try withUnion(lower: ["d": ["l": ""]]) { union throws in
            try Sys.setXattr(union.inLower("d"), PosixACL.access, bytes: access.bytes)
            try Sys.setXattr(union.inLower("d"), PosixACL.default, bytes: access.bytes)
            try Sys.put(union["d/new"], "n")
            #expect(try Sys.xattr(union.inUpper("d"), PosixACL.access) == access.bytes)
            #expect(try Sys.xattr(union["d"], PosixACL.access) == access.bytes)
            #expect(try acting(as: .bob) { try Sys.names(union["d"]) } == ["l", "new"])
        }
    }

    @Test func skeletonIsNeverOwner() throws {
        try withUnion(lower: ["d": .directory(["l": ""], mode: 0o750)], options: ["coherence=check"]) {
            union throws in
            try Sys.put(union["d/new"], "n")
            try Sys.changeMode(union.inLower("d"), 0o711)
            #expect(try Sys.facts(union["d"]).permissions == 0o711)
            try Sys.changeMode(union["d"], 0o700)
            #expect(try Sys.facts(union.inLower("d")).permissions == 0o700)
            try Sys.changeOwner(union["d"], uid: 5, gid: 6)
            #expect(try Sys.facts(union.inLower("d")).uid == 5)
            #expect(try Sys.facts(union["d"]).inode == Sys.facts(union.inLower("d")).inode)
        }
    }

    @Test func sameAfterRemount() throws {
        try withUnion(lower: Self.lower) { union throws in
            try Sys.put(union["a/b/new"], "n")
            let before = try Snapshot(union.mount, inodes: true)
            try union.restart()
            #expect(try Snapshot(union.mount, inodes: true).differences(from: before) == [])
        }
    }

    /// Killed at many points while it makes skeletons, the server leaves none or usable ones.
    @Test func usableAfterACrashAtAnyPoint() throws {
        var lower = Tree([])
        for index in 0..<200 {
            lower.entries.append(
                (name: "d\(index)/e", node: TreeNode.directory(["l": "x"], mode: 0o751).owned(by: 3, 4)))
        }
        try withUnion(lower: lower) { union throws in
            let deep = (0..<200).map { TestPath("d\($0)/e/new") }
            for round in 0..<6 {
                let part = Array(deep[(round * 30)..<(round * 30 + 30)])
                let paths = part.map { union[$0] }
                let made = Atomic<Int>(0)
                let stopped = { @Sendable in
                    for path in paths {
                        if failure(of: { try Sys.put(path, "n") }) != nil { break }
                        made.add(1, ordering: .sequentiallyConsistent)
                    }
                }
                let process = union.process ?? 0
                try together([
                    stopped,
                    { @Sendable in
                        try eventually("\(round * 4) are made") {
                            made.load(ordering: .sequentiallyConsistent) >= round * 4
                        }
                        kill(process, SIGKILL)
                    },
                ])
                union.crash()
                try union.start()
                for name in part {
                    #expect(try Sys.facts(union[name.parent]).permissions == 0o751)
                    #expect(try Sys.facts(union[name.parent]).uid == 3)
                    #expect(try Sys.names(union[name.parent]).contains("l"))
                    try Sys.put(union[name], "again")
                    #expect(try Sys.text(union[name]) == "again")
                }
                #expect(try Sys.names(union.mount).count == 200)
            }
        }
    }
}
