internal import LinuxSystem
internal import Logging
internal import Synchronization
internal import SystemPackage
internal import UnionCore

/// The thread that waits for watched files. The first of these starts it.
///
/// The epoll is that thread's own; other threads leave commands. A command holds its watch, so that the
/// descriptor can't be another file's by the time the command is carried out.
final class PollLoop: Sendable {
    private enum Command {
        case add(PollWatch)
        case modify(PollWatch)
        case end
    }

    private struct State {
        var commands: [Command] = []
        var wakeUp: SharedWakeUp?
        var isEnded = false
    }

    private static let commandToken = UInt64.max

    private let state = Mutex(State())
    private let logger: Logger

    init(logger: Logger) { self.logger = logger }

    /// Watches a file, edge-triggered. `find` gives the watch of an event's file; nil: the file is closed.
    func add(_ watch: PollWatch, find: @escaping @Sendable (HandleID) -> PollWatch?) {
        do throws(Errno) {
            try ensureThread(find)
            leave(.add(watch))
        } catch {
            logger.error("polled files cannot be watched: \(error)")
        }
    }

    /// Takes over the watch's events, which have changed.
    func modify(_ watch: PollWatch) { leave(.modify(watch)) }

    func end() { leave(.end) }

    private func leave(_ command: Command) {
        let wakeUp = state.withLock { state in
            if state.wakeUp != nil { state.commands.append(command) }
            return state.wakeUp
        }
        wakeUp?.value.raise()
    }

    private func ensureThread(_ find: @escaping @Sendable (HandleID) -> PollWatch?) throws(Errno) {
        let result = state.withLock { state -> Result<Void, Errno> in
            guard state.wakeUp == nil, !state.isEnded else { return .success(()) }
            do throws(Errno) {
                let wakeUp = SharedWakeUp(try WakeUp())
                let thread = try WorkerThread.spawn(name: "switchfs-poll", stackSize: 256 * 1024) {
                    [self] in run(wakeUp, find)
                }
                thread.detach()
                state.wakeUp = wakeUp
                return .success(())
            } catch {
                return .failure(error)
            }
        }
        try result.get()
    }

    // --- the thread

    private func run(_ wakeUp: SharedWakeUp, _ find: (HandleID) -> PollWatch?) {
        do throws(Errno) {
            var poller = try Poller()
            try poller.add(wakeUp.value.descriptor, .readable, token: PollLoop.commandToken)
            while try serve(&poller, wakeUp, find) {}
        } catch {
            logger.error("waiting for polled files: \(error)")
        }
        state.withLock { state in
            state.commands = []
            state.wakeUp = nil
            state.isEnded = true
        }
    }

    /// Waits once, and handles what that brought. False: this is the end.
    private func serve(
        _ poller: inout Poller, _ wakeUp: SharedWakeUp, _ find: (HandleID) -> PollWatch?
    ) throws(Errno) -> Bool {
        let count: Int
        do throws(Errno) {
            count = try poller.wait(timeout: -1)
        } catch .interrupted {
            return true
        }
        for index in 0..<count {
            let ready = poller[index]
            if ready.token == PollLoop.commandToken {
                wakeUp.value.clear()
            } else {
                let events = Int16(truncatingIfNeeded: ready.events.rawValue)
                find(HandleID(rawValue: ready.token))?.happened(events)?.send()
            }
        }
        return carryOut(&poller)
    }

    private func carryOut(_ poller: inout Poller) -> Bool {
        let commands = state.withLock { state in
            defer { state.commands = [] }
            return state.commands
        }
        for command in commands {
            switch command {
            case .add(let watch):
                // EPERM: the file can't be polled, and is always ready.
                try? poller.add(watch.descriptor, watch.ready, token: watch.handle.rawValue)
            case .modify(let watch):
                try? poller.modify(watch.descriptor, watch.ready, token: watch.handle.rawValue)
            case .end:
                return false
            }
        }
        return true
    }
}

extension PollWatch {
    fileprivate var ready: ReadyEvents {
        [ReadyEvents(rawValue: UInt32(UInt16(bitPattern: events))), .error, .hungUp, .edgeTriggered]
    }
}

/// A wake-up that two threads hold.
private final class SharedWakeUp: Sendable {
    let value: WakeUp

    init(_ value: consuming WakeUp) { self.value = value }
}
