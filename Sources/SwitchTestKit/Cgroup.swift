import Glibc
import SystemPackage

/// A cgroup made for one test, with the groups and processes in it. All of it goes with `close`.
public final class Cgroup {
    public let path: TestPath
    private var members: [Child] = []

    /// A new group in a hierarchy's root.
    public init(in hierarchy: TestPath, _ name: String) throws {
        path = hierarchy / TestPath(Janitor.cgroupPrefix + name)
        try Sys.makeDirectory(path)
    }

    deinit {
        close()
    }

    public func make(_ name: TestPath) throws -> TestPath {
        try Sys.makeDirectories(path / name)
        return path / name
    }

    /// A process that does nothing, in no group of this tree yet.
    public func sleeper() throws -> Child {
        let child = try Child(["sleep", "600"])
        members.append(child)
        return child
    }

    /// The processes listed in a group's (or a view's) `cgroup.procs`.
    public static func processes(_ group: TestPath) throws -> [Int32] {
        try Sys.text(group / "cgroup.procs").split(separator: "\n").compactMap { Int32($0) }
    }

    public func close() {
        for member in members { member.end() }
        members = []
        let deadline = Deadline(60)
        while Sys.exists(path), !deadline.passed {
            Self.remove(path)
            takeBreath()
        }
    }

    private static func remove(_ group: TestPath) {
        for entry in (try? Sys.list(group)) ?? [] where entry.kind == .directory {
            remove(group / entry.name)
        }
        try? Sys.removeDirectory(group)
    }
}

/// Runs `body` with a new cgroup that goes afterwards, whatever happens.
public func withCgroup<Result>(
    in hierarchy: TestPath?, _ name: String, _ body: (Cgroup) throws -> Result
) throws -> Result {
    guard let hierarchy else { throw FixtureError("no cgroup hierarchy") }
    let group = try Cgroup(in: hierarchy, name)
    defer { group.close() }
    return try body(group)
}
