import SwitchTestKit
import SystemPackage
import Testing

/// Which mode each filesystem gets by itself, and that it is kept: chapter 5 of the contract.
@Suite(.serialized, .enabled(if: Machine.canMount, "needs root and /dev/fuse"))
struct AutoModeTests {
    /// The line of a text that has the word; the rest of it, or what follows it.
    private static func line(_ text: String, with word: String) -> String {
        text.split(separator: "\n").first { $0.contains(word) }.map(String.init) ?? ""
    }

    /// What `doctor` says of a planned layer: the lines below its headline.
    private static func section(_ text: String, of layer: TestPath) -> String {
        let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
        let rest = lines.drop { !$0.hasSuffix(": \(layer)") }
        return rest.prefix { !$0.isEmpty }.joined(separator: "\n")
    }

    @Test(arguments: LayerKind.available)
    func modeAndReasonAreShown(kind: LayerKind) throws {
        let mode =
            kind.isOfCgroups
            ? "watch: inotify reports the writes that change \(kind.typeName)"
            : kind.isWatched
                ? "watch: inotify reports every change on \(kind.typeName)"
                : "check: inotify does not report every change on \(kind.typeName)"
        try withScratch { scratch throws in
            try kind.withLayer(scratch) { layer throws in
                let upper = try scratch.directory("upper")
                try withUnion(in: scratch, upper: upper, lowers: [layer.root]) { union throws in
                    let status = try union.command("status", union.mount.text).orThrow().output
                    #expect(
                        Self.line(status, with: "  \(layer.root)  ").hasSuffix("  \(kind.typeName), \(mode)"),
                        "\(status)")
                    let doctor = try union.command("doctor", "-o", union.mountOptions).orThrow().output
                    let plan = Self.section(doctor, of: layer.root)
                    #expect(Self.line(plan, with: "filesystem").hasSuffix("  \(kind.typeName)"), "\(doctor)")
                    #expect(Self.line(plan, with: "coherence").hasSuffix("  \(mode)"), "\(doctor)")
                }
            }
        }
    }

    /// Where nothing is watched, each call sees the layer as it is at that moment.
    @Test(arguments: LayerKind.available)
    func whatShowsIsCurrent(kind: LayerKind) throws {
        try withScratch { scratch throws in
            try kind.withLayer(scratch) { layer throws in
                let upper = try scratch.directory("upper")
                try withUnion(in: scratch, upper: upper, lowers: [layer.root]) { union throws in
                    // Watched ones may be milliseconds late, and this isn't about the milliseconds.
                    let barrier = { if kind.isWatched { try union.synchronize() } }
                    if let content = layer.content { try follows(content, union, barrier) }
                    if let presence = layer.presence { try follows(presence, union, of: layer.root, barrier) }
                    let names = try Sys.names(layer.root)
                    #expect(try kind == .proc || Sys.names(union.mount) == names)
                    if !kind.isWatched { try nothingIsKept(union) }
                }
            }
        }
    }

    private func follows(
        _ content: LiveLayer.Content, _ union: Union, _ barrier: () throws -> Void
    ) throws {
        let kept = try Sys.open(union[content.file])
        for value in content.values + content.values {
            try content.write(value)
            try barrier()
            #expect(try Sys.text(union[content.file]) == value, "\(content.file)")
            #expect(try String(decoding: kept.read(4096, at: 0), as: UTF8.self) == value)
        }
    }

    private func follows(
        _ presence: LiveLayer.Presence, _ union: Union, of layer: TestPath, _ barrier: () throws -> Void
    ) throws {
        for _ in 0..<3 {
            let path = try presence.make()
            try barrier()
            #expect(Sys.exists(union[path]), "\(path) is there")
            #expect(try Sys.names(union[path].parent).contains(path.name), "\(path) is there")
            try presence.remove()
            try barrier()
            let isListed = (try? Sys.names(union[path].parent))?.contains(path.name) == true
            let isShown = Sys.exists(union[path])
            // Names of devices are used again at once, by anybody on the machine.
            #expect(!isShown && !isListed || Sys.exists(layer / path), "\(path) is gone")
        }
    }

    /// The same look again asks again.
    private func nothingIsKept(_ union: Union) throws {
        try Sys.put(union["switchfs-test-file"], "x")
        for path in [union["switchfs-test-file"], union["switchfs-test-missing"]] {
            _ = Sys.exists(path)
            let before = try union.control.status()
            _ = Sys.exists(path)
            #expect(try !union.control.status().requests(since: before).isEmpty, "\(path) again")
            #expect(try union.control.status()["watches"] == 0)
        }
    }
}
