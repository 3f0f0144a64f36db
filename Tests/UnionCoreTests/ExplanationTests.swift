import LinuxSystem
import SystemPackage
import Testing
import UnionCore

/// What `explain` says is what is done, whatever the layers hold under a name.
@Suite(.enabled(if: geteuidIsRoot, "makes devices"))
struct ExplanationTests {
    struct Setting: Sendable, CustomTestStringConvertible {
        var readOnly: Set<Int> = []
        var create = CreatePolicy.upper
        var whiteout = WhiteoutPolicy.auto
        var upper = true

        var testDescription: String {
            "read-only \(readOnly), \(create), whiteout \(whiteout), upper \(upper)"
        }
    }

    static let settings = [
        Setting(), Setting(readOnly: [1]), Setting(readOnly: [2]), Setting(readOnly: [1, 2]),
        Setting(whiteout: .off), Setting(readOnly: [2], whiteout: .off), Setting(create: .lower),
        Setting(readOnly: [1], create: .fallback), Setting(create: .layer(2)), Setting(upper: false),
        Setting(create: .lower, upper: false),
    ]

    /// What a layer may have under the name.
    enum Held: String, CaseIterable {
        case nothing, file, directory, populated, whiteout, complete

        func make(at path: String) throws(Errno) {
            let name = OwnedName(path)
            let inside = OwnedName(path + "/p")
            let here = FileDescriptor.workingDirectory
            switch self {
            case .nothing: break
            case .file: try here.makeNode(at: name.ref, mode: ModeBits.file)
            case .directory: try here.makeDirectory(at: name.ref, mode: 0o755)
            case .populated:
                try here.makeDirectory(at: name.ref, mode: 0o755)
                try here.makeNode(at: inside.ref, mode: ModeBits.file)
            case .whiteout: try here.makeNode(at: name.ref, mode: ModeBits.device)
            case .complete:
                try here.makeDirectory(at: name.ref, mode: 0o755)
                let directory = try here.openPlain(name.ref, flags: [.readOnly, .directory])
                let value = OwnedName("y")
                try unsafe directory.descriptor.setXattr("trusted.switchfs.complete", value: value.ref.bytes)
            }
        }
    }

    static let calls = ["create", "mkdir", "remove", "rename"]

    /// Marks of the lowest layer hide nothing.
    private static func columns(_ layers: Int) -> [[Held]] {
        (0..<layers).reduce([[]]) { columns, layer in
            let possible = Held.allCases.prefix(layer < layers - 1 ? 6 : 4)
            return columns.flatMap { column in possible.map { column + [$0] } }
        }
    }

    /// A directory for each column and call, in every layer.
    private static func build(_ directories: [String]) throws(Errno) {
        for (number, column) in columns(directories.count).enumerated() {
            for (layer, held) in column.enumerated() {
                for call in calls {
                    let path = "\(directories[layer])/\(call)\(number)"
                    let name = OwnedName(path)
                    try FileDescriptor.workingDirectory.makeDirectory(at: name.ref, mode: 0o755)
                    try held.make(at: path + "/t")
                }
            }
        }
    }

    @Test(arguments: settings) func saysWhatIsDone(setting: Setting) throws {
        let layers = (setting.upper ? ["upper"] : []) + ["lower1", "lower2"]
        let fixture = try Fixture(
            lowers: 2, upper: setting.upper, readOnly: setting.readOnly,
            policies: {
                $0.create = setting.create
                $0.mkdir = setting.create
                $0.whiteout = setting.whiteout
            },
            before: { base in
                #expect(throws: Never.self) { try Self.build(layers.map { "\(base)/\($0)" }) }
            })
        for number in Self.columns(layers.count).indices {
            for call in Self.calls {
                let path = "\(call)\(number)/t"
                let told = try fixture.union.explain(path: Array(path.utf8))
                let error = fixture.error { () throws(Errno) in try Self.make(call, path, fixture) }
                let what = "\(path), \(Self.columns(layers.count)[number].map(\.rawValue))"
                switch Self.outcome(of: call, told) {
                case .fails(let said, let reason):
                    #expect(error == said, "\(what): \(said) (\(reason)), not \(String(describing: error))")
                case .goes(let layer, let real, let reason):
                    let isRight = error == nil && Self.isDone(call, real, layer: layer, reason)
                    #expect(isRight, "\(what): layer \(layer) (\(reason)), \(String(describing: error))")
                }
            }
        }
    }

    private static func outcome(of call: String, _ told: PathExplanation) -> PathExplanation.Outcome {
        // Of a directory it is told where things go that are made in it.
        switch call {
        case "create" where told.owner == nil: told.create
        case "mkdir" where told.owner == nil: told.mkdir
        case "create", "mkdir": .fails(.fileExists, reason: "it exists")
        case "remove": told.unlink
        default: told.rename
        }
    }

    private static func make(_ call: String, _ path: String, _ fixture: Fixture) throws(Errno) {
        let parent = try fixture.parent(of: path)
        let name = fixture.lastName(of: path)
        switch call {
        case "create": try fixture.create(path)
        case "mkdir": try fixture.mkdir(path)
        case "remove":
            do throws(Errno) {
                try fixture.union.unlink(parent, name.ref, root)
            } catch {
                guard error == .isDirectory else { throw error }
                try fixture.union.removeDirectory(parent, name.ref, root)
            }
        default: try fixture.union.rename(parent, name.ref, to: parent, "n", flags: 0, root)
        }
    }

    /// Whether the layer's object is what was told.
    private static func isDone(_ call: String, _ real: String, layer: Int, _ reason: String) -> Bool {
        let kind = kind(of: real)
        return switch call {
        case "create": kind == .regular
        case "mkdir": kind == .directory
        case "remove" where reason.contains("whiteout"): kind == .characterDevice
        case "remove": kind == nil
        default: Self.kind(of: real.dropLast() + "n") != nil
        }
    }

    private static func kind(of path: String) -> FileKind? {
        let name = OwnedName(path)
        return (try? FileDescriptor.workingDirectory.status(at: name.ref))?.kind
    }

    @Test func namesOfAnyBytes() throws {
        let fixture = try Fixture(before: {
            shell("cd \($0)/lower1; mkdir d; touch \"d/$(printf 'a\\377')\"")
        })
        let told = try fixture.union.explain(path: Array("d/a".utf8) + [0xff])
        #expect(told.owner == 1)
    }

    @Test func aDirectoryOfTheUpperAloneTakesNewThingsThere() throws {
        let fixture = try Fixture(policies: { $0.create = .lower }, before: { shell("mkdir \($0)/upper/d") })
        guard case .goes(let layer, _, _) = try fixture.union.explain(path: Array("d".utf8)).create else {
            Issue.record("nowhere")
            return
        }
        #expect(layer == 0)
    }
}

private enum ModeBits {
    static let file: UInt32 = 0o100644
    static let device: UInt32 = 0o020000
}

private let geteuidIsRoot = root.uid == 0
