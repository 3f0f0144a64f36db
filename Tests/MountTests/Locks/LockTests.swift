import SwitchTestKit
import Testing

/// Locks between clients of the union and whoever uses the layer directly: what a plain directory gives, from
/// both sides. The clients are in Tests/Support/Clients/locks.py.
@Suite(.enabled(if: Machine.canMount && Machine.hasProgram("python3"), "needs root, /dev/fuse and python3"))
struct LockTests {
    /// By which ways two clients come to one directory.
    enum Sides: String, CaseIterable, Sendable {
        case unionAndLayer, layerAndUnion, unionAlone

        func paths(_ union: Union, _ layer: TestPath) -> [String] {
            switch self {
            case .unionAndLayer: [union.mount.text, layer.text]
            case .layerAndUnion: [layer.text, union.mount.text]
            case .unionAlone: [union.mount.text, union.mount.text]
            }
        }
    }

    /// Whose file it is that is locked.
    enum Place: String, CaseIterable, Sendable {
        case upper, lower
    }

    private static let files: Tree = ["f": "some forty bytes that nobody ever reads.", "g": ""]
    private static let client =
        TestPath(#filePath).parent.parent.parent / "Support" / "Clients" / "locks.py"
    private static let rounds = Machine.environment("SWITCHFS_LOCK_ROUNDS").flatMap { Int($0) } ?? 150

    @Test(
        arguments: [
            "excluded", "ranges", "conversions", "closes", "waits", "interrupted", "deadlock", "no_deadlock",
        ], Sides.allCases)
    func likeAPlainDirectory(thing: String, sides: Sides) throws {
        try compare([thing], sides, in: .lower)
        try compare([thing], sides, in: .upper, options: ["passthrough=off"])
    }

    /// A process beside the union sees that it isn't told which client of the union it is.
    @Test(arguments: [Sides.layerAndUnion, .unionAlone])
    func sayWhoIsInTheWay(sides: Sides) throws {
        try compare(["who"], sides, in: .upper)
    }

    /// More than there are threads for requests.
    @Test func anyNumberMayWait() throws {
        try compare(["crowd", "1100"], .unionAlone, in: .upper)
    }

    @Test func areFreeWhenTheFileIsClosed() throws {
        try compare(["released", "100"], .unionAlone, in: .upper)
    }

    /// 10,000 rounds: SWITCHFS_LOCK_ROUNDS=10000.
    @Test(arguments: Sides.allCases, ["passthrough=auto", "passthrough=off"])
    func countOnBothSides(sides: Sides, passthrough: String) throws {
        try compare(["counter", "\(Self.rounds)"], sides, in: .lower, options: [passthrough])
    }

    /// The kernel keeps a file's attributes until an event says otherwise, which takes a moment.
    @Test(arguments: ["passthrough=auto", "passthrough=off", "coherence=ttl"])
    func whoHasTheLockSeesTheSize(option: String) throws {
        try compare(["sizes", "100"], .unionAndLayer, in: .lower, options: [option])
        try compare(["sizes", "100"], .unionAndLayer, in: .upper, options: [option])
    }

    @Test(arguments: ["delete", "truncate", "wal"], Sides.allCases)
    func databaseOnBothSides(journal: String, sides: Sides) throws {
        try compare(["database", "\(Self.rounds)", journal], sides, in: .upper)
        try compare(["database", "\(Self.rounds)", journal], sides, in: .lower, options: ["create=lower"])
    }

    /// Its journal can't be mapped shared: an error, and no lost rows.
    @Test func databaseWithoutPassthrough() throws {
        try compare(
            ["database", "\(Self.rounds)", "delete"], .unionAndLayer, in: .upper, options: ["passthrough=off"]
        )
        try withUnion(options: ["passthrough=off"]) { union throws in
            let ended = try run(
                "python3", Self.client.text, "database", union.mount.text, union.upper?.text ?? "", "5", "wal"
            )
            #expect(ended.errors.contains("sqlite3.OperationalError"), "\(ended.output) \(ended.errors)")
        }
    }

    // --- layers that nobody else uses

    /// The kernel of the union's clients alone, or the server on what stands in for the file: nobody beside the union
    /// sees a thing, and two unions over one layer don't disturb each other.
    @Test(arguments: [["static"], ["ro"], ["ro+static"]], [["locks=auto"], ["locks=local"]])
    func stayInsideTheUnion(attributes: [String], options: [String]) throws {
        try withUnion(lower: Self.files, attributes: attributes, options: options) { union throws in
            let lower = union.lowers[0].text
            let file = union["f"].text
            // Opened for reading, as nothing else can be in a ro layer.
            let script = "flock -n \(lower)/f true && flock -n \(file) true; echo $?"
            let ended = try run("flock", "-n", file, "sh", "-c", script).orThrow()
            #expect(ended.output == "1\n")
        }
    }

    @Test func stayInsideTheUnionByAll() throws {
        for thing in ["excluded", "ranges", "conversions", "closes", "waits", "deadlock", "no_deadlock"] {
            try compare([thing], .unionAlone, in: .lower, attributes: ["static"])
        }
    }

    @Test func throughReachesEveryLayer() throws {
        try compare(
            ["excluded"], .unionAndLayer, in: .lower, attributes: ["static"], options: ["locks=through"])
    }

    /// Runs the clients on a plain directory and on the union, and compares what they say.
    private func compare(
        _ arguments: [String], _ sides: Sides, in place: Place, attributes: [String] = [],
        options: [String] = []
    ) throws {
        let lower = place == .lower ? Self.files : [:]
        let upper = place == .upper ? Self.files : [:]
        try withScratch { scratch throws in
            let plain = try scratch.tree("plain", Self.files).text
            let expected = try Self.tell(arguments, [plain, plain])
            let (upper, lower) = (try scratch.tree("upper", upper), try scratch.tree("lower", lower))
            try withUnion(
                in: scratch, upper: upper, lowers: [lower], attributes: attributes, options: options
            ) { union throws in
                let layer = place == .upper ? upper : lower
                let said = try Self.tell(arguments, sides.paths(union, layer))
                #expect(said == expected, "\(arguments) \(sides) \(place) \(options)")
            }
        }
    }

    private static func tell(_ arguments: [String], _ places: [String]) throws -> String {
        try run(
            ["python3", client.text, arguments[0]] + places + arguments.dropFirst(), within: 1200
        ).orThrow().output
    }
}
