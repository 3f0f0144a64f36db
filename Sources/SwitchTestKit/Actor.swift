import CTestCalls
import Glibc
import SystemPackage

/// A process that makes one call and is gone: somebody in namespaces of its own.
public struct Actor: Sendable, CustomStringConvertible {
    public var name: String
    private var who: tc_actor

    public var description: String { name }

    private init(_ name: String, namespaces: Int32 = 0, user: UInt32 = 0, isCapable: Bool = true) {
        self.name = name
        who = tc_actor(namespaces: namespaces, capable: isCapable ? 1 : 0, uid: user, gid: user)
    }

    public static let all = [
        Actor("root"), Actor("user", user: 54321), Actor("root without capabilities", isCapable: false),
        Actor("root of a pid namespace", namespaces: Int32(bitPattern: 0x2000_0000)),
        Actor("root in a cgroup namespace", namespaces: 0x0200_0000),
        Actor("root in a network namespace", namespaces: 0x4000_0000),
        Actor("root in namespaces of host name and ipc", namespaces: 0x0c00_0000),
        Actor("root of a user namespace", namespaces: 0x1000_0000, user: 54321),
        Actor("root of user and pid namespaces", namespaces: 0x3000_0000, user: 54321),
    ]

    /// Writes a text; "self" is the actor's number, "other" that of another process beside it. What came of it, and in
    /// which groups both are then.
    public func writing(_ text: String, to path: TestPath) throws -> String {
        try act(path, TC_WRITE, text)
    }

    /// The text, or the error.
    public func reading(_ path: TestPath) throws -> String { try act(path, TC_READ, "") }
    public func opening(_ path: TestPath, _ flags: Int32) throws -> String {
        try act(path, TC_OPEN, "\(flags)")
    }
    /// Whether its entries can be read.
    public func listing(_ path: TestPath) throws -> String { try act(path, TC_LIST, "") }
    public func readingLink(_ path: TestPath) throws -> String { try act(path, TC_READ_LINK, "") }

    private func act(_ path: TestPath, _ kind: Int, _ argument: String) throws(Errno) -> String {
        var who = who
        var answer = [CChar](repeating: 0, count: 8192)
        try path.call { path in
            unsafe tc_act(&who, path, Int32(kind), argument, &answer, answer.count)
        }
        return String(decoding: answer.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }
}

/// What must stay as it is of a server, whatever is asked through its mount.
public struct ServerState: Equatable, Sendable, CustomStringConvertible {
    public var description: String

    public init(of process: Int32) throws {
        let root = TestPath("/proc/\(process)")
        var lines = [try Sys.text(root / "cgroup"), try Sys.text(root / "limits")]
        for file in ["comm", "oom_score_adj", "coredump_filter"] as [TestPath] {
            lines.append(try Sys.text(root / file))
        }
        // Threads come and go; whichever there are must be where the process is.
        let groups = try Sys.names(root / "task").compactMap { try? Sys.text(root / "task" / $0 / "cgroup") }
        lines.append(contentsOf: Set(groups).sorted())
        description = lines.joined(separator: "\n")
    }
}

/// A server's threads that live as long as it does; workers come and go.
public func lastingThreads(of server: Int32) throws -> [Int32] {
    let tasks = TestPath("/proc/\(server)/task")
    return try Sys.names(tasks).compactMap { Int32($0.text) }.filter { thread in
        thread != server && (try? Sys.text(tasks / "\(thread)" / "comm")) != "switchfs-worker\n"
    }
}
