internal import CLinux
public import SystemPackage

/// Kinds of namespaces, in the order of `slx_foreign_namespaces`.
public struct Namespaces: OptionSet, Sendable, Hashable {
    public let rawValue: UInt32

    public init(rawValue: UInt32) { self.rawValue = rawValue }

    public static var user: Namespaces { Namespaces(rawValue: 1) }
    /// The root directory counts as part of it.
    public static var mount: Namespaces { Namespaces(rawValue: 2) }
    public static var process: Namespaces { Namespaces(rawValue: 4) }
    public static var network: Namespaces { Namespaces(rawValue: 8) }
    public static var hostName: Namespaces { Namespaces(rawValue: 16) }
    public static var ipc: Namespaces { Namespaces(rawValue: 32) }
    public static var cgroup: Namespaces { Namespaces(rawValue: 64) }
    public static var time: Namespaces { Namespaces(rawValue: 128) }

    /// The namespaces among `asked` in which the caller isn't where the server is. nil: this process's /proc
    /// doesn't show the caller, so it isn't known where the caller is.
    public static func foreign(to caller: CallerIdentity, _ asked: Namespaces) -> Namespaces? {
        if asked.isEmpty { return [] }
        guard caller.pid > 0, ServerCredentials.own.seesThreads else { return nil }
        let result = slx_foreign_namespaces(caller.pid, asked.rawValue)
        return result < 0 ? nil : Namespaces(rawValue: UInt32(result))
    }
}

extension FileDescriptor {
    /// Whether the proc filesystem whose root directory this is has the pid namespace of this process's
    /// /proc.
    public var numbersProcessesAsHere: Bool { slx_numbers_as_here(rawValue) != 0 }
}

/// The thread's number in its own pid namespace. ESRCH, ENOENT: no such thread can be seen.
public func innermostNumber(ofThread thread: Int32) throws(Errno) -> Int32 {
    guard thread > 0, ServerCredentials.own.seesThreads else { throw .noSuchProcess }
    return try check(slx_innermost_number(thread))
}
