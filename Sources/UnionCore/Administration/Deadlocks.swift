internal import LinuxSystem
internal import Synchronization

extension Union {
    /// Ends one wait that never would: it answers EDEADLK when its thread is interrupted. `suspects` are those that
    /// were found the last time. nil: there is none.
    public func refuseDeadlock(_ suspects: inout [LockWait]) -> LockWait? {
        let state = ledger.state.withLock { $0 }
        guard !state.waits.isEmpty else {
            suspects = []
            return nil
        }
        // Without /proc/locks clients among each other are still found.
        let stuck = LockCircles(state, (try? KernelLock.all()) ?? []).stuck
        let certain = stuck.first { wait in suspects.contains { $0 === wait } }
        suspects = stuck
        certain?.refuse(.deadlock)
        return certain
    }
}
