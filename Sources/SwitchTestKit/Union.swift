import Glibc
import SystemPackage

/// A union served by the switchfs program as a child of this process.
public final class Union {
    /// The upper's directory; nil: there is none.
    public let upper: TestPath?
    /// The work directory, beside the upper; nil without one.
    public let work: TestPath?
    /// The lowers' directories, top to bottom.
    public let lowers: [TestPath]
    /// Where it is mounted.
    public let mount: TestPath
    /// What `-o` has beside the layers.
    public private(set) var options: [String]
    private let attributes: [String]
    private let launcher: [String]
    private let log: TestPath
    private var server: Child?

    /// Mounts directories that are there. `attributes` belong to the lowers, first to first (`ro`,
    /// `oci`, `ro+static`, empty for none), `launcher` goes before the command. The work directory is made beside the upper.
    public init(
        in scratch: Scratch, name: TestPath = "union", upper: TestPath?, lowers: [TestPath],
        attributes: [String] = [], options: [String] = [], launcher: [String] = []
    ) throws {
        self.launcher = launcher
        self.upper = upper
        self.lowers = lowers
        self.attributes = attributes
        self.options = options
        work = upper.map { $0 + ".work" }
        if let work { try Sys.makeDirectories(work) }
        mount = try scratch.directory(name)
        log = scratch.root / (name + ".log")
        try start()
    }

    /// Stops and mounts again, with other options if given.
    public func restart(options: [String]? = nil) throws {
        try stop()
        if let options { self.options = options }
        try start()
    }

    /// Kills the server as a crash would, and takes the dead mount away.
    public func crash() {
        server?.end()
        server = nil
        try? Sys.unmount(mount, lazily: true)
    }

    /// Mounts, and waits for up to 90 seconds until the mount answers. Throws what the server said where it doesn't.
    public func start() throws {
        let errors = try Sys.open(log, O_WRONLY | O_CREAT | O_APPEND)
        let server = try Child(
            launcher + [Machine.binary, "-f", "-o", mountOptions, mount.text], output: errors, errors: errors)
        self.server = server
        let outside = try Sys.facts(mount.parent).device
        let deadline = Deadline(90)
        while true {
            if let facts = try? Sys.facts(mount), facts.device != outside { return }
            if let ending = server.poll() {
                throw FixtureError("switchfs -o \(mountOptions) \(mount): \(ending): \(messages)")
            }
            if deadline.passed {
                crash()
                throw FixtureError("switchfs -o \(mountOptions) \(mount): not mounted in time: \(messages)")
            }
            takeBreath()
        }
    }

    /// Unmounts and waits for the server to end; throws when it ends otherwise than well.
    public func stop() throws {
        guard let server else { return }
        self.server = nil
        let device = (try? Sys.facts(mount))?.device ?? 0
        let wasFree = try? Sys.unmountOnceFree(mount)
        if wasFree != true { try? Sys.unmount(mount, lazily: true) }
        let ending = try Self.end(of: server, device: device)
        if ending != .exited(0) { throw FixtureError("the server ended with \(ending): \(messages)") }
        if wasFree == false { throw FixtureError("the mount stayed busy") }
    }

    /// A process that made itself a mount namespace meanwhile has a copy of the mount. As long as it lives the kernel
    /// goes on asking the server, which must then be told to end.
    private static func end(of server: Child, device: UInt64) throws -> Child.Ending {
        let patience = Deadline(1)
        while !patience.passed {
            if let ending = server.poll() { return ending }
            takeBreath()
        }
        if isMountedElsewhere(device) { server.send(SIGTERM) }
        return try server.wait(within: 90)
    }

    private static func isMountedElsewhere(_ device: UInt64) -> Bool {
        let number = " 0:\(device & 0xff | device >> 12 & 0xfff00) "
        let processes = ((try? Sys.names("/proc")) ?? []).filter { Int32($0.text) != nil }
        return processes.contains { process in
            let mounts = (try? Sys.text("/proc" / process / "mountinfo")) ?? ""
            return mounts.split(separator: "\n").contains { $0.contains(number) }
        }
    }

    /// The server's process; nil: it isn't running.
    public var process: Int32? { server?.pid }

    /// What the server printed.
    public var messages: String { (try? Sys.text(log)) ?? "" }

    /// All that `-o` is given.
    public var mountOptions: String {
        let layers = lowers.enumerated().map { index, path in
            let attribute = index < attributes.count ? attributes[index] : ""
            return attribute.isEmpty ? path.text : "\(path)=\(attribute)"
        }
        var all = ["lowerdir=" + layers.joined(separator: ":")]
        if let upper { all.append("upperdir=\(upper)") }
        if let work { all.append("workdir=\(work)") }
        return (all + options).joined(separator: ",")
    }
}

extension Union {
    /// The path of a name in the union.
    public subscript(_ name: TestPath) -> TestPath { mount / name }

    /// A name's path in the upper.
    public func inUpper(_ name: TestPath) -> TestPath {
        (upper ?? "/nonexistent") / name
    }

    /// A name's path in a lower, the highest if no other is asked for.
    public func inLower(_ name: TestPath, _ index: Int = 0) -> TestPath {
        lowers[index] / name
    }

    /// Runs the switchfs program.
    public func command(_ arguments: String...) throws -> Finished {
        try run([Machine.binary] + arguments)
    }

    /// Which layer and which real object a name of the union comes from, as the union says itself.
    public func layer(of name: TestPath) throws -> String {
        try Sys.xattrText(self[name], "user.switchfs.layer")
    }
}

/// Mounts new directories that hold the given trees, runs `body`, and takes everything away again.
/// `lower` is the highest lower, `more` those below it; `upper` nil mounts without one.
public func withUnion<Result>(
    lower: Tree = [:], more: [Tree] = [], upper: Tree? = [:], attributes: [String] = [],
    options: [String] = [], _ body: (Union) throws -> Result
) throws -> Result {
    try withScratch { scratch in
        let upper = try upper.map { try scratch.tree("upper", $0) }
        let lowers = try ([lower] + more).enumerated().map { try scratch.tree("lower\($0)", $1) }
        return try withUnion(
            in: scratch, upper: upper, lowers: lowers, attributes: attributes, options: options, body)
    }
}

/// The same with directories that are there.
public func withUnion<Result>(
    in scratch: Scratch, name: TestPath = "union", upper: TestPath?, lowers: [TestPath],
    attributes: [String] = [], options: [String] = [], launcher: [String] = [],
    _ body: (Union) throws -> Result
) throws -> Result {
    let union = try Union(
        in: scratch, name: name, upper: upper, lowers: lowers, attributes: attributes, options: options,
        launcher: launcher)
    do {
        let result = try body(union)
        try union.stop()
        return result
    } catch {
        let messages = union.messages
        try? union.stop()
        if messages.isEmpty { throw error }
        throw FixtureError("\(error); the server said: \(messages.suffix(2000))")
    }
}
