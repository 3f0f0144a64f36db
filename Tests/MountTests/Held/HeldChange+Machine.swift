import Glibc
import SwitchTestKit
import SystemPackage
import Testing

/// What the union does for itself, the kernel for want of memory, and what people tell the union to do.
extension HeldChange {
    static let aroundTheUnion: [HeldChange] = [
        HeldChange("the queue overflows", modes: [.watch]) { scene in
            let limit =
                Int(try Sys.text("/proc/sys/fs/inotify/max_queued_events").filter(\.isNumber)) ?? 16_384
            try #require(limit <= 1 << 20)
            let root = scene.layer(HeldScene.middle)
            let before = try scene.union.control.status()["overflows"]
            try WatchLimitTests.whileStopped(scene.union.process ?? 0) {
                for index in 0..<(limit / 2 + 100) {
                    try Sys.put(root / "etc/t\(index % 2)", "")
                    try Sys.unlink(root / "etc/t\(index % 2)")
                }
                // What no event tells.
                for part in ["a/b/c", "1/2", "p/q/r"] as [TestPath] {
                    try Sys.makeDirectories(scene.layer(nil) / part)
                    try Sys.put(scene.layer(nil) / part.parent / "untold", "untold")
                }
            }
            try scene.demand("an overflow")
            #expect(try scene.union.control.status()["overflows"] > before)
            #expect(try Sys.text(scene.union["a/b/untold"]) == "untold")
            #expect(try Sys.text(scene.union["1/untold"]) == "untold")
        },
        HeldChange("kernel caches are dropped") { scene in
            for part in ["a", "a/b"] as [TestPath] {
                try Sys.overwrite("/proc/sys/vm/drop_caches", "2\n")
                try scene.demand("dropping caches")
                try scene.union.dropKernelCaches()
                try scene.demand("a remount")
                try Sys.put(scene.union[part / "new"], "new")
                try scene.demand("creating \(part)/new")
            }
        },
        HeldChange("complete and complete --off", before: makeBothLayers) { scene in
            for directory in ["a", "a/b", "p", "1/2/3"] as [TestPath] {
                try scene.union.command("complete", scene.union[directory].text).orThrow()
                try scene.demand("complete \(directory)")
                try scene.union.command("complete", scene.union[directory].text, "--off").orThrow()
                try scene.demand("complete --off \(directory)")
            }
            #expect(try Sys.text(scene.union["a/b/below"]) == "below")
        },
        HeldChange("orphans are listed, restored and purged", before: makeOrphans) { scene in
            let union = scene.union
            func orphans(_ options: String...) throws -> [[String]] {
                try run([Machine.binary, "orphans", union.mount.text] + options).orThrow().output
                    .split(separator: "\n").map { $0.split(separator: "\t").map(String.init) }
            }
            let found = try orphans()
            try scene.demand("orphans")
            for (name, option) in [("/lost/1", "--restore"), ("/lost/2", "--purge")] {
                let line = try #require(found.first { $0.count > 1 && $0[1] == name })
                _ = try orphans(option, line[0])
                try scene.demand("orphans \(option)")
            }
            _ = try orphans("--purge-all")
            try scene.demand("orphans --purge-all")
            #expect(try Sys.names(union["lost"]) == ["1"])
        },
        HeldChange("sync, status and explain") { scene in
            for round in 0..<10 {
                try scene.union.synchronize()
                _ = try scene.union.control.status()
                _ = try scene.union.control.explain("a/b/c")
                try scene.demand("sync, round \(round)")
            }
        },
        HeldChange("filesystems are mounted elsewhere") { scene in
            for _ in 0..<3 {
                try Sys.makeDirectories(scene.outside / "elsewhere")
                try Sys.mount("tmpfs", on: scene.outside / "elsewhere", type: "tmpfs")
                try scene.demand("a mount elsewhere")
                try Sys.unmount(scene.outside / "elsewhere")
                try scene.demand("no mount elsewhere")
            }
        },
    ]

    private static func queueLimit() throws -> Int {
        let text = try Sys.text("/proc/sys/fs/inotify/max_queued_events").filter(\.isNumber)
        let limit = Int(text) ?? 16_384
        try #require(limit <= 1 << 20)
        return limit
    }

    @Sendable private static func makeBothLayers(_ union: Union) throws {
        for part in ["a/b/c", "1/2/3/4/5", "p/q/r"] as [TestPath] {
            try Sys.makeDirectories(union.inLower(part, HeldScene.low))
            try Sys.put(union.inLower(part.parent / "below", HeldScene.low), "below")
        }
    }

    @Sendable private static func makeOrphans(_ union: Union) throws {
        for name in ["lost/1", "lost/2"] as [TestPath] {
            try Sys.put(union[name / "note"], "note")
            try Sys.removeDirectory(union.inLower(name, HeldScene.middle))
        }
        try union.synchronize()
    }
}
