internal import LinuxSystem
internal import SystemPackage
internal import UnionCore

/// The reading end of the inotify instance, and the sink that gets the events.
struct EventReader: ~Copyable {
    private var inotify: Inotify
    private var repetition = Repetition()
    /// nil: the table of mounts can't be had.
    private var mounts: MountTableWatch?
    var sink: (any ChangeSink)?

    init(_ inotify: consuming Inotify) {
        mounts = try? MountTableWatch(beside: inotify.descriptor)
        self.inotify = inotify
    }

    /// Whether there are events, or changes of mounts, since the last call.
    mutating func look() -> Waiting {
        var waiting = mounts?.look() ?? Waiting(mountChanges: false)
        if !inotify.isAtEndOfBuffer { waiting.events = true }
        return waiting
    }

    /// The next event that says something. nil: the kernel has no more now.
    mutating func next() -> Reading? {
        while let event = nextEvent() {
            if let reading = interpret(event) { return reading }
        }
        return nil
    }

    /// Takes the next event. A read into a large buffer that doesn't block has only one error: there is
    /// nothing.
    private mutating func nextEvent() -> InotifyEvent? {
        if inotify.isAtEndOfBuffer { repetition.forget() }
        return (try? inotify.next()) ?? nil
    }

    private mutating func interpret(_ event: InotifyEvent) -> Reading? {
        if event.mask.contains(.overflow) { return .overflow }
        if event.mask.contains(.ignored) { return .ended(event.watch) }
        guard let kind = event.mask.change(of: event.name) else { return nil }
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
