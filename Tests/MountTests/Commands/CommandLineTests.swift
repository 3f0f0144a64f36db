import SwitchTestKit
import Testing

/// A wrong command line gives one clear line, the right exit code, and leaves nothing.
@Suite(.enabled(if: Machine.canMount, "needs root and /dev/fuse"))
struct CommandLineTests {
    /// `@` stands for the scratch directory, which holds lower, upper, work, mnt, file and lower/sub.
    static let wrong: [(arguments: String, code: Int32, mentions: String)] = [
        ("-o lowerdir=@/none,upperdir=@/upper,workdir=@/work @/mnt", 1, "none"),
        ("-o lowerdir=@/file,upperdir=@/upper,workdir=@/work @/mnt", 1, "file"),
        ("-o lowerdir=@/lower,upperdir=@/none,workdir=@/work @/mnt", 1, "none"),
        ("-o lowerdir=@/lower,upperdir=@/file,workdir=@/work @/mnt", 1, "file"),
        ("-o lowerdir=@/lower,upperdir=@/upper,workdir=@/none/work @/mnt", 1, "work"),
        ("-o lowerdir=@/lower,upperdir=@/upper,workdir=@/work @/nowhere", 1, "nowhere"),
        ("-o lowerdir=@/lower,upperdir=@/upper,workdir=@/work @/file", 1, "file"),
        ("-o lowerdir=@/lower,upperdir=@/lower/sub,workdir=@/work @/mnt", 1, "sub"),
        ("-o lowerdir=@/lower/sub,upperdir=@/lower,workdir=@/work @/mnt", 1, "sub"),
        ("-o lowerdir=@/lower:@/lower,upperdir=@/upper,workdir=@/work @/mnt", 1, "lower"),
        ("-o lowerdir=@/lower,upperdir=@/lower,workdir=@/work @/mnt", 1, "lower"),
        ("-o lowerdir=@/lower,upperdir=@/upper,workdir=@/upper @/mnt", 1, "upper"),
        ("-o lowerdir=@/lower,upperdir=@/upper,workdir=@/work,bogus=1 @/mnt", 2, "bogus"),
        ("-o lowerdir=@/lower,upperdir=@/upper,workdir=@/work,create=sideways @/mnt", 2, "sideways"),
        ("-o lowerdir=@/lower,upperdir=@/upper,workdir=@/work,coherence=psychic @/mnt", 2, "psychic"),
        ("-o lowerdir=@/lower,upperdir=@/upper,workdir=@/work,ttl=soon @/mnt", 2, "soon"),
        ("-o lowerdir=@/lower,upperdir=@/upper,workdir=@/work,passthrough=maybe @/mnt", 2, "maybe"),
        ("-o lowerdir=@/lower,upperdir=@/upper,workdir=@/work,metacopy=on @/mnt", 2, "metacopy"),
        ("-o upperdir=@/upper,workdir=@/work @/mnt", 2, "lower"),
        ("-o lowerdir=@/lower,upperdir=@/upper,workdir=@/work", 2, ""),
        ("-o lowerdir=@/lower,upperdir=@/upper,workdir=@/work source @/mnt @/other", 2, ""),
        ("-o", 2, ""),
        ("frobnicate", 2, "frobnicate"),
        ("unmount @/mnt", 1, "mnt"),
        ("unmount", 2, ""),
        ("status @/mnt", 1, "mnt"),
        ("mount --lower @/lower --upper @/none --work @/work @/mnt", 1, "none"),
        ("mount --lower @/lower --upper @/none @/mnt", 1, "none"),
        ("mount --bogus @/mnt", 2, "bogus"),
    ]

    @Test(arguments: wrong.map(\.arguments))
    func oneClearLine(line: String) throws {
        let wanted = try #require(Self.wrong.first { $0.arguments == line })
        try withScratch { scratch throws in
            try Self.layers(scratch)
            let before = try Snapshot(scratch.root)
            let arguments = Self.split(line, scratch)
            let done = try run([Machine.binary] + arguments, within: 300)
            #expect(done.ending == .exited(wanted.code), "\(done.errors)")
            let lines = done.errors.split(separator: "\n")
            #expect(lines.count == 1, "\(done.errors)")
            #expect(done.errors.contains(wanted.mentions), "\(done.errors)")
            #expect(done.output == "")
            #expect(!Machine.mounts.contains { $0.path.bytes.starts(with: scratch.root.bytes) })
            #expect(try Snapshot(scratch.root).differences(from: before) == [])
        }
    }

    @Test func rulesFileThatCannotBeParsedNamesLineAndColumn() throws {
        try withScratch { scratch throws in
            try Self.layers(scratch)
            try Sys.put(scratch.root / "rules.toml", "[[rule]]\npath = \"a\"\ncreate = sideways\n")
            let options = "lowerdir=@/lower,upperdir=@/upper,workdir=@/work,rules=@/rules.toml"
            let done = try run([Machine.binary] + Self.split("-o \(options) @/mnt", scratch), within: 300)
            #expect(!done.succeeded)
            #expect(done.errors.split(separator: "\n").count == 1, "\(done.errors)")
            #expect(done.errors.contains("3"), "\(done.errors)")
            #expect(!Machine.isMounted(scratch.root / "mnt"))
        }
    }

    @Test func unreadableLayer() throws {
        try withScratch { scratch throws in
            try Self.layers(scratch)
            try Sys.changeMode(scratch.root / "lower", 0)
            let arguments = Self.split("-o lowerdir=@/lower @/mnt", scratch)
            let done = try run([Machine.binary] + arguments, as: .alice, within: 300)
            #expect(done.ending == .exited(1))
            #expect(done.errors.split(separator: "\n").count == 1, "\(done.errors)")
            #expect(!Machine.isMounted(scratch.root / "mnt"))
        }
    }

    @Test func mountPointInsideALayer() throws {
        try withScratch { scratch throws in
            try Self.layers(scratch)
            let line = "-o lowerdir=@/lower,upperdir=@/upper,workdir=@/work @/lower/sub"
            let done = try run([Machine.binary] + Self.split(line, scratch), within: 300)
            if done.succeeded {
                // Allowed only where it can't recurse.
                #expect(try run("find", (scratch.root / "lower/sub").text, "-maxdepth", "50").succeeded)
                try Sys.unmount(scratch.root / "lower/sub")
            } else {
                #expect(done.ending == .exited(1))
                #expect(done.errors.split(separator: "\n").count == 1, "\(done.errors)")
            }
            #expect(!Machine.isMounted(scratch.root / "lower/sub"))
        }
    }

    static func layers(_ scratch: Scratch) throws {
        for name in ["lower/sub", "upper", "work", "mnt", "other"] as [TestPath] {
            _ = try scratch.directory(name)
        }
        try Sys.put(scratch.root / "file", "")
    }

    static func split(_ line: String, _ scratch: Scratch) -> [String] {
        line.split(separator: " ").map { word in
            word.split(separator: "@", omittingEmptySubsequences: false)
                .joined(separator: scratch.root.text)
        }
    }
}
