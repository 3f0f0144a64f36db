import SwitchTestKit
import SystemPackage
import Testing

/// What a mount is on goes or is replaced: then, and only then, the mount goes, and no other.
@Suite(
    .serialized,
    .enabled(if: Machine.canMount && Machine.hasProgram("nsenter"), "needs root, /dev/fuse and nsenter"))
struct LostMountTests {
    struct Loss: Sendable, CustomTestStringConvertible {
        let testDescription: String
        /// What is lost, and what is to be seen there then; nil: nothing.
        let place: TestPath
        let shown: String?
        let isOthers: Bool
        let make: @Sendable (HeldScene) throws -> Void

        init(
            _ name: String, of place: TestPath, shown: String? = nil, others: Bool = false,
            _ make: @escaping @Sendable (HeldScene) throws -> Void
        ) {
            testDescription = name
            self.place = place
            self.shown = shown
            isOthers = others
            self.make = make
        }
    }

    static let losses: [Loss] = [
        Loss("the directory is removed", of: "a/b/c") { scene in
            try Sys.removeDirectory(scene.layer(HeldScene.middle) / "a/b/c")
        },
        Loss("the directory above is removed", of: "a/b/c") { scene in
            Sys.removeTree(scene.layer(HeldScene.middle) / "a")
        },
        Loss("the directory is renamed", of: "a/b/c") { scene in
            try Sys.rename(scene.layer(HeldScene.middle) / "a/b/c", scene.layer(HeldScene.middle) / "a/b/d")
        },
        Loss("the directory is exchanged", of: "a/b/c", shown: "instead") { scene in
            try Sys.makeDirectory(scene.outside / "d")
            try Sys.put(scene.outside / "d/mark", "instead")
            try Sys.rename(
                scene.outside / "d", scene.layer(HeldScene.middle) / "a/b/c", flags: Flag.renameExchange)
        },
        Loss("the directory above is exchanged", of: "a/b/c", shown: "instead") { scene in
            try Sys.makeDirectories(scene.outside / "a/b/c")
            try Sys.put(scene.outside / "a/b/c/mark", "instead")
            try Sys.rename(
                scene.outside / "a", scene.layer(HeldScene.middle) / "a", flags: Flag.renameExchange)
        },
        Loss("the directory is hidden", of: "a/b/c") { scene in
            try Sys.makeDirectories(scene.layer(HeldScene.high) / "a/b")
            try Sys.makeNode(scene.layer(HeldScene.high) / "a/b/c", mode: 0o20644)
        },
        Loss("the directory becomes a file", of: "one", shown: "file") { scene in
            try Sys.put(scene.outside / "file", "file")
            try Sys.rename(
                scene.outside / "file", scene.layer(HeldScene.middle) / "one", flags: Flag.renameExchange)
        },
        Loss("a filesystem is mounted there in the layer", of: "1/2/3/4/5") { scene in
            let path = scene.layer(HeldScene.middle) / "1/2"
            try Sys.mount("tmpfs", on: path, type: "tmpfs", options: "mode=755")
        },
        Loss("the file is removed", of: "etc/hosts") { scene in
            try Sys.unlink(scene.layer(HeldScene.middle) / "etc/hosts")
        },
        Loss("the file is replaced", of: "etc/hosts", shown: "instead") { scene in
            try Sys.put(scene.outside / "hosts", "instead")
            try Sys.rename(scene.outside / "hosts", scene.layer(HeldScene.middle) / "etc/hosts")
        },
        Loss("a file above hides it", of: "etc/hosts", shown: "instead") { scene in
            try Sys.makeDirectories(scene.layer(HeldScene.high) / "etc")
            try Sys.put(scene.layer(HeldScene.high) / "etc/hosts", "instead")
        },
        Loss("another's directory is removed underneath", of: "p/q/r", others: true) { scene in
            try Sys.removeDirectory(scene.layer(HeldScene.middle) / "p/q/r")
        },
        Loss("another's directory is removed by the union", of: "p/q/r", others: true) { scene in
            try Sys.removeDirectory(scene.union["p/q/r"])
        },
        Loss("another's file is replaced by the union", of: "etc/other", shown: "instead", others: true) {
            scene in
            try Sys.put(scene.union["etc/aside"], "instead")
            try Sys.rename(scene.union["etc/aside"], scene.union["etc/other"])
        },
    ]

    @Test(arguments: losses, HeldScene.Mode.allCases)
    func goesWithWhatItIsOn(loss: Loss, mode: HeldScene.Mode) throws {
        try HeldScene.with(mode) { scene throws in
            try loss.make(scene)
            scene.held.forget(loss.place)
            try scene.demand(loss.testDescription)
            // Whoever holds it as mounted is told when somebody walks there.
            #expect(shown(scene, loss) == loss.shown)
            #expect(!scene.held.isMounted(loss.place, others: loss.isOthers))
            // The place can be used again.
            if loss.shown == nil, mode != .ttl {
                try Sys.makeDirectories(scene.union[loss.place])
                try Sys.put(scene.union[loss.place / "mark"], "new")
                try scene.demand("using the place again")
                #expect(try Sys.text(scene.union[loss.place / "mark"]) == "new")
            }
            for path in ["a/b", "1/2"] as [TestPath] {
                try? Sys.unmount(scene.layer(HeldScene.middle) / path, lazily: true)
            }
        }
    }

    /// What the place itself shows, or the file in it.
    private func shown(_ scene: HeldScene, _ loss: Loss) -> String? {
        let path = loss.isOthers ? scene.held.others(loss.place) : scene.union[loss.place]
        guard let facts = try? Sys.facts(path) else { return nil }
        return try? Sys.text(facts.kind == .directory ? path / "mark" : path)
    }
}
