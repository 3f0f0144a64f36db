internal import LinuxSystem
internal import SystemPackage

/// Tells whether something was mounted or unmounted in this process's namespace since it was last asked.
///
/// A mount is on a directory as it is: no watch of the directory says anything of it. The kernel counts the
/// changes of the table of mounts and wakes who polls the file that shows it; each open file has seen as many as
/// when it was last polled, so whoever asks needs one of its own.
struct MountTableWatch: ~Copyable {
    private let table: OwnedDescriptor
    private var poller: Poller

    /// ENOENT where proc isn't mounted.
    init() throws(Errno) {
        let table = try Self.open()
        let poller = try Poller()
        try poller.add(table.descriptor, .urgent, token: 0)
        self.table = table
        self.poller = poller
    }

    mutating func hasChanged() -> Bool { ((try? poller.wait(timeout: 0)) ?? 0) > 0 }

    /// The file, to be polled for urgent events.
    static func open() throws(Errno) -> OwnedDescriptor {
        try FileDescriptor.workingDirectory.openPlain("/proc/self/mountinfo", flags: .readOnly)
    }
}
