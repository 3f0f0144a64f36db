import CTestCalls
import SystemPackage

/// A process that does nothing, in a mount namespace of its own: a copy of this process's, from which nothing spreads.
public final class MountNamespace {
    private let child: Child
    /// The process ends when this is closed, and so with this process at the latest.
    private let pipe: Handle

    public init() throws {
        var ends: [Int32] = [0, 0]
        try checked(unsafe tc_pipe(&ends))
        let input = Handle(owning: ends[0])
        pipe = Handle(owning: ends[1])
        child = try Child(["unshare", "--mount", "--propagation", "private", "cat"], input: input)
        let name: TestPath = "/proc/\(child.pid)/comm"
        try eventually("a process has its own mount namespace") { try Sys.text(name) == "cat\n" }
    }

    public var process: Int32 { child.pid }

    /// A path as it is in there.
    public func path(_ path: TestPath) -> TestPath { TestPath("/proc/\(child.pid)/root" + path.text) }

    public func mountTmpfs(on path: TestPath) throws { try run("mount", "-t", "tmpfs", "tmpfs", path.text) }
    public func bind(_ source: TestPath, on path: TestPath) throws {
        try run("mount", "--bind", source.text, path.text)
    }

    /// Runs a program in there.
    public func run(_ arguments: String...) throws {
        try SwitchTestKit.run(["nsenter", "--mount=/proc/\(child.pid)/ns/mnt"] + arguments).orThrow()
    }

    /// Ends the process, and with it the namespace and the mounts in it.
    public func close() {
        child.end()
    }
}
