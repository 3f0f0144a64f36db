internal import CLinux
internal import Glibc
internal import SystemPackage

/// The process's own credentials, to which threads go back. They are read once. No thread may act for a
/// caller at that time, and `ThreadSetup` sees to it.
@safe struct ServerCredentials: @unchecked Sendable {
    // Sendable: they never change once they are read. They are never freed: there is one value, for the life
    // of the process.
    let uid: UInt32
    let gid: UInt32
    let capabilities: slx_capabilities
    /// Whether the kernel doesn't let effective capabilities follow the effective uid (`capabilities(7)`).
    let keepsCapabilities: Bool
    /// Whether /proc shows the pid namespace that requests' pids are of. If not, its pids are other
    /// processes'.
    let seesThreads: Bool
    /// Whether supplementary groups can be changed. They can't without CAP_SETGID, nor if a user namespace
    /// forbids it.
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

    /// Whether the thread is in our user namespace, so that its capabilities count in it.
    func sharesNamespace(with thread: Int32) -> Bool {
        guard let namespace else { return !Self.haveNamespaces }
        return UserNamespace(of: thread) == namespace
    }

    /// Whether there are user namespaces. If the kernel was built without them, no process has such a link.
    private static let haveNamespaces: Bool = {
        let path: PathRef = "/proc/self/ns/user"
        return unsafe slx_readlinkat(FileDescriptor.workingDirectory.rawValue, path.base, nil, 0)
            != -Int64(ENOENT)
    }()

    /// Whether the thread's supplementary groups must be changed to be these.
    func mustChange(groups wanted: [UInt32]) -> Bool {
        changesGroups && !(wanted.isEmpty && groupCount == 0)
    }

    /// The server's supplementary groups, for tests.
    var ownGroups: [UInt32] {
        unsafe Array(UnsafeBufferPointer(start: groups, count: Int(groupCount)))
    }

    /// Whether the server can enter other namespaces, and take any user's ids there.
    var canServeElsewhere: Bool {
        let needed: [Capability] = [.sysAdmin, .setUser, .setGroups]
        return needed.allSatisfy { capabilities.effective & $0.bit != 0 }
    }

    /// Sets the groups back. Returns 0 or a negative errno.
    func restoreGroups() -> Int32 { unsafe slx_setgroups(groups, groupCount) }
}

private enum OwnProcess {
    /// Whether /proc shows this process under that pid. /proc/self links to our pid in the pid namespace of
    /// the process that mounted /proc.
    static func isShown(as process: Int32) -> Bool {
        var text = [UInt8](repeating: 0, count: 16)
        let path: PathRef = "/proc/self"
        let length = unsafe slx_readlinkat(
            FileDescriptor.workingDirectory.rawValue, path.base, &text, text.count)
        guard length > 0 else { return false }
        return String(decoding: text[..<Int(length)], as: UTF8.self) == "\(process)"
    }
}
