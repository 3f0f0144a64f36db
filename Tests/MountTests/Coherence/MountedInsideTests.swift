import SwitchTestKit
import SystemPackage
import Testing

/// Filesystems mounted inside of layers, over them, and layers that are unmounted: rules 6 and 7 of chapter 2.
/// inotify says nothing of a mount.
@Suite(.serialized, .enabled(if: Machine.canMount, "needs root and /dev/fuse"))
struct MountedInsideTests {
    /// A lower with `d/m/below` and an upper, with everything looked at so that the kernel keeps it.
    private func withLayers(
        upper: Bool = true, options: [String] = [], _ body: (Scratch, Union) throws -> Void
    ) throws {
        try withScratch { scratch throws in
            let ground = try scratch.tmpfs("ground")
            for path in [ground / "upper", ground / "lower/d/m"] { try Sys.makeDirectories(path) }
            try Sys.put(ground / "lower/d/m/below", "below")
            try withUnion(
                in: scratch, upper: upper ? ground / "upper" : nil, lowers: [ground / "lower"],
                options: options
            ) { try body(scratch, $0) }
        }
    }

    private let names: [TestPath] = ["d", "d/m", "d/m/below", "d/m/above", "d/m/note"]

    /// What the union shows of the listings and the names. No file is read: that would move its access time, and
    /// have the kernel ask for it.
    private func look(_ union: Union) throws -> [String] {
        try [Sys.names(union["d"]).description, Sys.names(union["d/m"]).description]
            + names.map { name in
                guard let facts = try? Sys.facts(union[name]) else { return "\(name): none" }
                return facts.kind == .file ? "\(name): \(facts.size)" : "\(name): \(facts.kind)"
            }
    }

    private let before = [
        "[m]", "[below]", "d: directory", "d/m: directory", "d/m/below: 5", "d/m/above: none",
        "d/m/note: none",
    ]
    private let after = [
        "[m]", "[above]", "d: directory", "d/m: directory", "d/m/below: none", "d/m/above: 6",
        "d/m/note: none",
    ]

    /// Mounts a tmpfs with a file `above` at a place.
    private func mount(on path: TestPath) throws {
        try Sys.mount("tmpfs", on: path, type: "tmpfs", options: "mode=755")
        try Sys.put(path / "above", "above!")
    }

    @Test(arguments: ["watch", "check"])
    func mountedAndUnmounted(mode: String) throws {
        try withLayers(options: ["coherence=\(mode)"]) { _, union throws in
            for _ in 0..<3 {
                #expect(try look(union) == before)
                try mount(on: union.inLower("d/m"))
                if mode == "watch" { try union.synchronize() }
                #expect(try look(union) == after)
                // It is watched too, where it can be.
                try Sys.put(union.inLower("d/m/note"), "x")
                if mode == "watch" { try union.synchronize() }
                #expect(try Sys.names(union["d/m"]) == ["above", "note"])
                #expect(try Sys.text(union["d/m/note"]) == "x")
                #expect(try Sys.unmountOnceFree(union.inLower("d/m")))
                if mode == "watch" { try union.synchronize() }
            }
            #expect(try look(union) == before)
        }
    }

    /// By itself, without a `sync`.
    @Test func aMountShowsByItself() throws {
        try withLayers { _, union throws in
            #expect(try look(union) == before)
            try mount(on: union.inLower("d/m"))
            try eventually("the mount shows") { try look(union) == after }
            #expect(try Sys.unmountOnceFree(union.inLower("d/m")))
            try eventually("the mount shows no more") { try look(union) == before }
        }
    }

    /// A mount in a skeleton's place, and on a directory that has one.
    @Test func aMountOnAMergedDirectory() throws {
        try withLayers { _, union throws in
            try Sys.put(union["d/m/note"], "note")
            #expect(try Sys.names(union["d/m"]) == ["below", "note"])
            try mount(on: union.inLower("d/m"))
            try union.synchronize()
            #expect(try Sys.names(union["d/m"]) == ["above", "note"])
            try mount(on: union.inUpper("d/m"))
            try union.synchronize()
            #expect(!Sys.exists(union["d/m/note"]))
            #expect(try Sys.unmountOnceFree(union.inUpper("d/m")))
            #expect(try Sys.unmountOnceFree(union.inLower("d/m")))
            try union.synchronize()
            #expect(try Sys.names(union["d/m"]) == ["below", "note"])
            #expect(try Sys.text(union["d/m/note"]) == "note")
        }
    }

    /// What inotify doesn't report in full isn't kept, in a layer that is watched.
    @Test func aCheckedFilesystemInsideAWatchedLayer() throws {
        try withLayers { scratch, union throws in
            #expect(try look(union) == before)
            let real = union.inLower("d/m")
            try Sys.mount("bpf", on: real, type: "bpf")
            try Sys.makeDirectory(real / "group")
            try union.synchronize()
            let inside = union["d/m/group"]
            for round in 0..<100 {
                #expect(!Sys.exists(inside / "g"))
                try Sys.makeDirectory(real / "group/g")
                #expect(Sys.exists(inside / "g"), "round \(round)")
                #expect(try Sys.names(inside).contains("g"))
                try Sys.removeDirectory(real / "group/g")
                #expect(!Sys.exists(inside / "g"), "round \(round)")
                #expect(try !Sys.names(inside).contains("g"))
            }
            // Other tests' mounts may have everything dropped, and so forgotten, at any time.
            try eventually("the mounted directory is degraded") {
                _ = Sys.exists(inside / "g")
                return try union.control.status()["degraded_directories"] > 0
            }
            try Sys.unmount(real, lazily: true)
            try union.synchronize()
            #expect(try look(union) == before)
            try union.dropKernelCaches()
            try eventually("none is degraded") { try union.control.status()["degraded_directories"] == 0 }
        }
    }

    /// Beside it the rest of the layer is kept: a look at it costs no request.
    @Test func aCheckedFilesystemSpoilsNothingElse() throws {
        try withLayers { scratch, union throws in
            try Sys.mount("proc", on: union.inLower("d/m"), type: "proc")
            try union.synchronize()
            try Sys.makeDirectory(union.inLower("beside"))
            try Sys.put(union.inLower("beside/f"), "x")
            try union.synchronize()
            func look() throws {
                #expect(Sys.exists(union["d/m/self/stat"]))
                _ = try Sys.facts(union["beside/f"])
                #expect(!Sys.exists(union["beside/none"]))
                _ = try Sys.names(union["beside"])
            }
            try look()
            // Another test's mount may have everything looked at anew: then once more.
            try eventually("looks beside the mount cost no request") {
                try look()
                let before = try union.control.status().requests
                _ = try Sys.facts(union["beside/f"])
                #expect(!Sys.exists(union["beside/none"]))
                _ = try Sys.names(union["beside"])
                return try union.control.status().requests == before
            }
            try Sys.unmount(union.inLower("d/m"), lazily: true)
        }
    }

    /// A layer is the directory that it was at the mount, whatever becomes of its path.
    @Test(arguments: ["unmounted", "hidden"])
    func aLayersPathLosesIt(how: String) throws {
        try withScratch { scratch throws in
            let upper = try scratch.tmpfs("upper-ground") / "upper"
            let lower = try scratch.directory("lower")
            try Sys.mount("tmpfs", on: lower, type: "tmpfs")
            try Sys.makeDirectory(upper)
            try Sys.makeDirectory(lower / "d")
            try Sys.put(lower / "d/file", "text")
            try withUnion(in: scratch, upper: upper, lowers: [lower]) { union throws in
                let inside = try Sys.open(lower, Flag.path | Flag.directory)
                let still = TestPath("/proc/self/fd/\(inside.descriptor)")
                #expect(try Sys.names(union["d"]) == ["file"])
                #expect(!Sys.exists(union["d/new"]))
                if how == "unmounted" {
                    try Sys.unmount(lower, lazily: true)
                } else {
                    try Sys.mount("tmpfs", on: lower, type: "tmpfs")
                    try Sys.put(lower / "other", "x")
                }
                try union.synchronize()
                #expect(try Sys.names(union.mount) == ["d"])
                #expect(try Sys.text(union["d/file"]) == "text")
                // Changes in it still show, and it still takes some.
                try Sys.put(still / "d/new", "new")
                try Sys.unlink(still / "d/file")
                try union.synchronize()
                #expect(try Sys.names(union["d"]) == ["new"])
                try Sys.put(union["d/new"], "more")
                #expect(try Sys.text(still / "d/new") == "more")
                try Sys.put(union["d/note"], "note")
                #expect(try Sys.names(upper / "d") == ["note"])
                let status = try union.command("status", union.mount.text).orThrow().output
                #expect(status.contains("  rw  \(lower)  "))
                if how == "hidden" { try Sys.unmount(lower, lazily: true) }
            }
            if how == "hidden" { try Sys.unmount(lower, lazily: true) }
        }
    }

    /// The union is mounted over one of its own layers, and another filesystem over the union.
    @Test func theMountItselfIsHidden() throws {
        try withLayers { _, union throws in
            let inside = try Sys.open(union.mount, Flag.path | Flag.directory)
            #expect(try look(union) == before)
            try Sys.mount("tmpfs", on: union.mount, type: "tmpfs")
            try Sys.put(union.inLower("d/m/note"), "x")
            let still = TestPath("/proc/self/fd/\(inside.descriptor)")
            try eventually("it shows") { Sys.exists(still / "d/m/note") }
            try Sys.unmount(union.mount)
            try union.synchronize()
            #expect(try Sys.names(union["d/m"]) == ["below", "note"])
        }
    }

    /// Mounts and unmounts while clients look: none of them sees an error that nobody should see, and the end is
    /// right.
    @Test func mountsWhileClientsLook() throws {
        try withLayers { _, union throws in
            let place = union.inLower("d/m")
            let (names, shown) = (names, union.mount)
            let turnstile = Turnstile()
            try together(
                (0..<3).map { _ in
                    { @Sendable in
                        turnstile.run {
                            for name in names {
                                let error = failure { _ = try Sys.facts(shown / name) }
                                // ESTALE: it was replaced twice in the time of one look.
                                let plausible: [Errno?] = [nil, .noSuchFileOrDirectory, .staleNFSFileHandle]
                                if !plausible.contains(error) {
                                    Issue.record("\(name): \(error?.name ?? "")")
                                }
                            }
                            _ = try? Sys.names(shown / "d/m")
                        }
                    }
                } + [
                    { @Sendable in
                        defer { turnstile.end() }
                        for _ in 0..<100 {
                            try Sys.mount("tmpfs", on: place, type: "tmpfs", options: "mode=755")
                            try Sys.put(place / "above", "above!")
                            try Sys.unmount(place, lazily: true)
                        }
                        try Sys.mount("tmpfs", on: place, type: "tmpfs", options: "mode=755")
                        try Sys.put(place / "above", "above!")
                    }
                ])
            try union.synchronize()
            #expect(try look(union) == after)
            #expect(try Sys.unmountOnceFree(place))
            try union.synchronize()
            #expect(try look(union) == before)
        }
    }
}
