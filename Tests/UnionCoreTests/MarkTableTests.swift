import LinuxSystem
import SystemPackage
import Testing
import UnionCore

/// The marks of an upper without extended attributes, in their file.
@Suite(.enabled(if: SceneKind.available.contains(.bpffsOverTmpfs), "needs bpffs"))
struct MarkTableTests {
    @Test func whatACrashTearsIsLeftOut() throws {
        let scene = try OrphanScene(.bpffsOverTmpfs)
        scene.below("mkdir A")
        let inode = try scene.open(.keep).attributes("A").inode
        try scene.open(.keep).note("A/note")
        let file = scene.work + "/switchfs/marks"
        #expect(shell("printf 'set\\t12.0.0\\torig' >> \(file); test -s \(file)") == 0)
        for _ in 0..<2 {
            let union = try scene.open(.keep)
            #expect(try union.attributes("A").inode == inode)
            #expect(try union.notes("A") == ["note"])
        }
    }

    @Test func recordsOfDirectoriesThatWentAreDropped() throws {
        let scene = try OrphanScene(.bpffsOverTmpfs)
        scene.below("mkdir A B")
        let union = try scene.open(.keep)
        try union.note("A/note")
        try union.note("B/note")
        #expect(shell("rm -r \(scene.upper)/A") == 0)
        #expect(try scene.open(.keep).notes("B") == ["note"])
        let file = scene.work + "/switchfs/marks"
        #expect(shell("test $(grep -c origin \(file)) = 1") == 0)
    }

    @Test func whatIsPreparedDoesNotShow() throws {
        let scene = try OrphanScene(.bpffsOverTmpfs)
        scene.below("mkdir A")
        let union = try scene.open(.keep)
        try union.note("A/note")
        #expect(shell("test -d \(scene.upper)/switchfs-work") == 0)
        #expect(try union.notes("") == ["A"])
        #expect(!union.exists("switchfs-work"))
    }
}
