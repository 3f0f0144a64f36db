import Glibc
import Synchronization

/// Tells one waiting thread, once, how a start went: nil for well.
final class StartSignal: Sendable {
    private enum State {
        case starting
        case done(MountError?)
    }

    private let state = Mutex(State.starting)

    /// Only the first word counts.
    func tell(_ error: MountError?) {
        state.withLock { state in
            if case .starting = state { state = .done(error) }
        }
    }

    /// A start takes milliseconds and comes once a mount: looking again and again is simpler than a condition
    /// variable, which Swift's standard library lacks.
    func wait() -> MountError? {
        while true {
            if case .done(let error) = state.withLock({ $0 }) { return error }
            usleep(500)
        }
    }
}
