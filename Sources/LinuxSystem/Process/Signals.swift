internal import CLinux
public import SystemPackage

/// A signal's number; values of <asm/signal.h> for all but MIPS and the like.
public struct Signal: RawRepresentable, Sendable, Hashable {
    public let rawValue: Int32

    public init(rawValue: Int32) { self.rawValue = rawValue }

    public static var hangUp: Signal { Signal(rawValue: 1) }
    public static var interrupt: Signal { Signal(rawValue: 2) }
    public static var user1: Signal { Signal(rawValue: 10) }
    public static var user2: Signal { Signal(rawValue: 12) }
    public static var pipe: Signal { Signal(rawValue: 13) }
    public static var terminate: Signal { Signal(rawValue: 15) }
    public static var child: Signal { Signal(rawValue: 17) }
    /// The signal that interrupts a request's system call.
    public static var interruptRequest: Signal { user2 }
}

/// Several signals.
public struct SignalSet: Sendable, ExpressibleByArrayLiteral {
    /// Signal n at bit n − 1.
    let bits: UInt64

    public init(arrayLiteral signals: Signal...) {
        bits = signals.reduce(0) { $0 | 1 << UInt64($1.rawValue - 1) }
    }
}

/// What a process and its threads do with signals.
public enum Signals {
    /// Blocks the signals in this thread, and in the threads that it starts from now on.
    public static func block(_ set: SignalSet) throws(Errno) {
        try succeed(slx_signal_block(set.bits, 1))
    }

    /// Unblocks the signals in this thread.
    public static func unblock(_ set: SignalSet) throws(Errno) {
        try succeed(slx_signal_block(set.bits, 0))
    }

    /// Waits until one of the signals comes. Every thread must have blocked all of them.
    public static func wait(for set: SignalSet) throws(Errno) -> Signal {
        while true {
            let result = slx_signal_wait(set.bits, -1)
            if result == -Errno.interrupted.rawValue { continue }
            return Signal(rawValue: try check(result))
        }
    }

    /// Waits until one of the signals comes, for at most `timeout` milliseconds. nil: none came. Every thread
    /// must have blocked all of them.
    public static func wait(for set: SignalSet, timeout: Int32) throws(Errno) -> Signal? {
        let result = slx_signal_wait(set.bits, timeout)
        if result == -Errno.resourceTemporarilyUnavailable.rawValue { return nil }
        return Signal(rawValue: try check(result))
    }

    /// Lets `signal` interrupt system calls (EINTR) and do nothing else.
    public static func installInterruptHandler(for signal: Signal = .interruptRequest) throws(Errno) {
        try succeed(slx_signal_interrupts(signal.rawValue))
    }

    /// Lets the process ignore the signal.
    public static func ignore(_ signal: Signal) throws(Errno) {
        try succeed(slx_signal_ignore(signal.rawValue))
    }
}
