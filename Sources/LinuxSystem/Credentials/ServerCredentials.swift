internal import CLinux
internal import Glibc
internal import SystemPackage

/// The process's own credentials, which threads go back to. Read once: no thread may be acting for anyone
/// at that time, and `ThreadSetup` sees to it.
@safe struct ServerCredentials: @unchecked Sendable {
    // Sendable: never changed once read. Never freed: there is one, for the life of the process.
    let uid: UInt32
    let gid: UInt32
    let capabilities: slx_capabilities
    /// The kernel doesn't let effective capabilities follow the effective uid (`capabilities(7)`).
    let keepsCapabilities: Bool
    /// /proc shows the pid namespace that requests' pids are of. Else its pids are other processes'.
    let seesThreads: Bool
    /// Supplementary groups can be changed: not without CAP_SETGID, nor where a user namespace forbids it.
    private let changesGroups: Bool
    private let namespace: UserNamespace?
    private let groups: UnsafeMutablePointer<UInt32>?
    private let groupCount: Int32

    static let own = ServerCredentials()

    private init() {
        uid = slx_geteuid()
        gid = slx_getegid()
        capabilities = Capabilities.own()
        keepsCapabilities = slx_keeps_capabilities() != 0
        let process = slx_getpid()
        seesThreads = OwnProcess.isShown(as: process)
        namespace = UserNamespace(of: process)
        var count = slx_getgroups(nil, 0)
        if count > 0 {
            let buffer = UnsafeMutablePointer<UInt32>.allocate(capacity: Int(count))
            count = unsafe max(slx_getgroups(buffer, count), 0)
            unsafe groups = unsafe buffer
        } else {
            unsafe groups = nil
        }
        groupCount = max(count, 0)
        changesGroups = unsafe slx_setgroups(groups, groupCount) >= 0
    }

    /// Whether the thread's capabilities count in our user namespace: it is in the same one.
    func sharesNamespace(with thread: Int32) -> Bool {
        guard let namespace else { return !Self.haveNamespaces }
        return UserNamespace(of: thread) == namespace
    }

    /// A kernel built without them has no such link in any process.
    private static let haveNamespaces: Bool = {
        let path: PathRef = "/proc/self/ns/user"
        return unsafe slx_readlinkat(FileDescriptor.workingDirectory.rawValue, path.base, nil, 0)
            != -Int64(ENOENT)
    }()

    /// Whether the thread's supplementary groups have to be changed to be these.
    func mustChange(groups wanted: [UInt32]) -> Bool {
        changesGroups && !(wanted.isEmpty && groupCount == 0)
    }

    /// For tests.
    var ownGroups: [UInt32] {
        unsafe Array(UnsafeBufferPointer(start: groups, count: Int(groupCount)))
    }

    /// Other namespaces can be entered, and anybody's ids taken there.
    var canServeElsewhere: Bool {
        let needed: [Capability] = [.sysAdmin, .setUser, .setGroups]
        return needed.allSatisfy { capabilities.effective & $0.bit != 0 }
    }

    /// 0 or a negative errno.
    func restoreGroups() -> Int32 { unsafe slx_setgroups(groups, groupCount) }
}

private enum OwnProcess {
    /// /proc/self is a link to our pid, by the pid namespace of the process that mounted /proc.
    static func isShown(as process: Int32) -> Bool {
        var text = [UInt8](repeating: 0, count: 16)
        let path: PathRef = "/proc/self"
        let length = unsafe slx_readlinkat(
            FileDescriptor.workingDirectory.rawValue, path.base, &text, text.count)
        guard length > 0 else { return false }
        return String(decoding: text[..<Int(length)], as: UTF8.self) == "\(process)"
    }
}
