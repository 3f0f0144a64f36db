internal import LinuxSystem
internal import SystemPackage
internal import UnionCore

/// The reading end of the inotify instance, and who is told.
struct EventReader: ~Copyable {
    private var inotify: Inotify
    private var repetition = Repetition()
    /// nil where the table of mounts can't be had.
    private var mounts: MountTableWatch?
    var sink: (any ChangeSink)?

    init(_ inotify: consuming Inotify) {
        mounts = try? MountTableWatch(beside: inotify.descriptor)
        self.inotify = inotify
    }

    /// What there is since the last call.
    mutating func look() -> Waiting {
        var waiting = mounts?.look() ?? Waiting(mountChanges: false)
        if !inotify.isAtEndOfBuffer { waiting.events = true }
        return waiting
    }

    /// The next event that says something; nil when the kernel has no more now.
    mutating func next() -> Reading? {
        while let event = nextEvent() {
            if let reading = interpret(event) { return reading }
        }
        return nil
    }

    /// Reading without blocking into a large buffer has no other error than that there is nothing.
    private mutating func nextEvent() -> InotifyEvent? {
        if inotify.isAtEndOfBuffer { repetition.forget() }
        return (try? inotify.next()) ?? nil
    }

    private mutating func interpret(_ event: InotifyEvent) -> Reading? {
        if event.mask.contains(.overflow) { return .overflow }
        if event.mask.contains(.ignored) { return .ended(event.watch) }
        guard let kind = event.mask.change(isNamed: !event.name.isEmpty) else { return nil }
        return repetition.covers(event, kind) ? nil : .change(event.watch, kind, event.name)
    }
}

/// What an event says.
enum Reading {
    case change(Int32, ChangeEvent.Kind, PathRef)
    /// The kernel has removed the watch.
    case ended(Int32)
    case overflow
}
