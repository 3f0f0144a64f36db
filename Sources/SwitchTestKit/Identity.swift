import CTestCalls
import Glibc
import SystemPackage

/// Who makes a call.
public struct Identity: Hashable, Sendable, CustomStringConvertible {
    public var uid: UInt32
    public var gid: UInt32
    public var groups: [UInt32]
    /// By number; nil: all for root and none for others.
    public var capabilities: [Int]?

    public init(uid: UInt32, gid: UInt32, groups: [UInt32] = [], capabilities: [Int]? = nil) {
        self.uid = uid
        self.gid = gid
        self.groups = groups
        self.capabilities = capabilities
    }

    public static let root = Identity(uid: 0, gid: 0)
    public static let nobody = Identity(uid: 65534, gid: 65534)
    /// Two users that no passwd file knows; the first is in two groups besides its own.
    public static let alice = Identity(uid: 54321, gid: 54321, groups: [54400, 54401])
    public static let bob = Identity(uid: 54322, gid: 54322)

    public var description: String {
        let ids = "\(uid):\(([gid] + groups).map(String.init).joined(separator: ","))"
        guard let capabilities else { return ids }
        return ids + " with capabilities \(capabilities)"
    }

    /// What to put before a command line to run it as this user.
    var prefix: [String] {
        if self == .root { return [] }
        let list = groups.map(String.init).joined(separator: ",")
        return ["setpriv", "--reuid=\(uid)", "--regid=\(gid)"]
            + (groups.isEmpty ? ["--clear-groups"] : ["--groups=\(list)"]) + capabilityOptions
    }

    private var capabilityOptions: [String] {
        guard let capabilities else { return [] }
        let list = (["-all"] + capabilities.map { "+cap_\($0)" }).joined(separator: ",")
        return ["--inh-caps=\(list)", "--ambient-caps=\(list)", "--bounding-set=\(list)"]
    }

    /// Becomes this user, for good, in the calling thread alone.
    fileprivate func enter() throws(Errno) {
        if self == .root { return }
        guard let capabilities else {
            try checked(unsafe tc_become(uid, gid, groups, groups.count))
            return
        }
        let bits = capabilities.reduce(UInt64(0)) { $0 | 1 << UInt64($1) }
        try checked(unsafe tc_become_capable(uid, gid, groups, groups.count, bits))
    }
}

/// Runs `body` on a thread of its own with that user's ids, groups, umask and working directory, and
/// waits for it. The rest of the process keeps its own. A file system sees a caller like any other.
///
/// Record expectations outside: the thread belongs to no test.
public func acting<Result>(
    as who: Identity, umask: UInt32 = 0o022, in directory: TestPath? = nil,
    _ body: () throws -> Result
) throws -> Result {
    var result: Swift.Result<Result, any Error> = .failure(FixtureError("the thread did not run"))
    try onThread {
        result = Swift.Result {
            try checked(tc_unshare_files_state())
            _ = tc_umask(umask)
            if let directory { try Sys.changeDirectory(directory) }
            try who.enter()
            return try body()
        }
    }
    return try result.get()
}

/// Runs several bodies at once, each on a thread of its own; throws the first error.
public func together(_ bodies: [@Sendable () throws -> Void]) throws {
    let runners = bodies.map(Runner.init)
    var threads: [pthread_t] = []
    for runner in runners {
        var thread = pthread_t()
        let code = unsafe pthread_create(
            &thread, nil,
            { raw in
                guard let raw = unsafe raw else { return nil }
                unsafe Unmanaged<Runner>.fromOpaque(raw).takeUnretainedValue().run()
                return nil
            }, Unmanaged.passUnretained(runner).toOpaque())
        if code == 0 { threads.append(thread) } else { runner.error = Errno(rawValue: code) }
    }
    for thread in threads { pthread_join(thread, nil) }
    for runner in runners {
        if let error = runner.error { throw error }
    }
}

private final class Runner {
    let body: @Sendable () throws -> Void
    var error: (any Error)?

    init(_ body: @escaping @Sendable () throws -> Void) {
        self.body = body
    }

    func run() {
        do { try body() } catch { self.error = error }
    }
}

private final class Job {
    let body: () -> Void

    init(_ body: @escaping () -> Void) {
        self.body = body
    }
}

private func onThread(_ body: () -> Void) throws(Errno) {
    let answer = withoutActuallyEscaping(body) { body in
        let job = Job(body)
        return withExtendedLifetime(job) {
            unsafe tc_on_thread(
                { raw in
                    guard let raw = unsafe raw else { return }
                    unsafe Unmanaged<Job>.fromOpaque(raw).takeUnretainedValue().body()
                }, Unmanaged.passUnretained(job).toOpaque())
        }
    }
    try checked(answer)
}

/// Gives this thread a mount namespace, from which nothing spreads, and a cgroup namespace.
public func enterCgroupNamespace() throws {
    try checked(tc_unshare_mounts())
    try checked(tc_unshare_cgroups())
}
