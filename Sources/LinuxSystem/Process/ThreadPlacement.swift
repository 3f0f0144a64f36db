internal import CLinux

/// Where and with what precedence the calling thread runs.
public enum ThreadPlacement {
    /// Whether the thread may give way and come back: its policy is the usual one, and it has CAP_SYS_NICE.
    public static var mayGiveWay: Bool {
        slx_thread_policy_is_usual() != 0 && Capabilities.hasEffective(.nice)
    }

    /// Lets everybody else go first: SCHED_IDLE of sched(7).
    public static func giveWay() { _ = slx_thread_set_idle(1) }

    /// Takes the usual precedence again.
    public static func comeBack() { _ = slx_thread_set_idle(0) }

    /// Runs on that processor only. False: it may not.
    public static func pin(to processor: Int32) -> Bool { slx_thread_pin(processor) == 0 }

    /// Runs wherever it might before it was pinned.
    public static func unpin() { slx_thread_unpin() }

    /// The processor that a thread, of any process, ran on last; nil when it is gone or hidden.
    public static func processor(of thread: UInt32) -> Int32? {
        let processor = slx_processor_of(Int32(truncatingIfNeeded: thread))
        return processor < 0 ? nil : processor
    }
}
