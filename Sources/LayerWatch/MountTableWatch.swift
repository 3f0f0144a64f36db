internal import LinuxSystem
internal import SystemPackage

/// What waits to be taken in; everything, where that can't be known.
struct Waiting {
    var mountChanges = true
    var events = true
}

/// Tells whether something was mounted or unmounted in this process's namespace since it was last asked, and with the
/// same call whether there are events.
///
/// A mount is on a directory as it is: no watch of the directory says anything of it. The kernel counts the
/// changes of the table of mounts and wakes who polls the file that shows it; each open file has seen as many as
/// when it was last polled, so each that asks needs one of its own.
struct MountTableWatch: ~Copyable {
    private let table: OwnedDescriptor
    private var poller: Poller

    /// ENOENT where proc isn't mounted.
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

    /// The file, to be polled for urgent events.
    static func open() throws(Errno) -> OwnedDescriptor {
        try FileDescriptor.workingDirectory.openPlain("/proc/self/mountinfo", flags: .readOnly)
    }
}
