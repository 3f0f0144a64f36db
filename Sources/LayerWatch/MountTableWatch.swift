internal import LinuxSystem
internal import SystemPackage

/// What waits to be taken in; everything, if that isn't known.
struct Waiting {
    var mountChanges = true
    var events = true
}

/// Tells whether something was mounted or unmounted in this process's namespace since it was last asked. The
/// call tells, too, whether there are events.
///
/// A mount leaves the directory below as it is, so no watch of the directory says anything of it. The kernel
/// counts the changes of the table of mounts. It wakes a thread that polls the file that shows the table.
/// Each open file has seen as many changes as when it was last polled, so each thread that asks needs one of
/// its own.
struct MountTableWatch: ~Copyable {
    private let table: OwnedDescriptor
    private var poller: Poller

    /// ENOENT: proc isn't mounted.
    init(beside events: FileDescriptor) throws(Errno) {
        let table = try Self.open()
        let poller = try Poller()
        try poller.add(table.descriptor, .urgent, token: Self.tableToken)
        try poller.add(events, .readable, token: Self.eventsToken)
        self.table = table
        self.poller = poller
    }

    private static let tableToken: UInt64 = 0
    private static let eventsToken: UInt64 = 1

    mutating func look() -> Waiting {
        guard let count = try? poller.wait(timeout: 0) else { return Waiting() }
        var waiting = Waiting(mountChanges: false, events: false)
        for index in 0..<count {
            if poller[index].token == Self.tableToken { waiting.mountChanges = true }
            if poller[index].token == Self.eventsToken { waiting.events = true }
        }
        return waiting
    }

    /// Opens the file, to be polled for urgent events. ENOENT: proc isn't mounted.
    static func open() throws(Errno) -> OwnedDescriptor {
        try FileDescriptor.workingDirectory.openPlain("/proc/self/mountinfo", flags: .readOnly)
    }
}
