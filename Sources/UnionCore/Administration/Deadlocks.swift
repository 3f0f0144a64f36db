internal import LinuxSystem
internal import Synchronization
internal import SystemPackage

extension Union {
    /// Ends one wait that never would end: it answers EDEADLK when its thread is interrupted. `suspects` are
    /// the waits that were found the last time, and then those found now. nil: no wait is sure to be in a
    /// deadlock.
    public func refuseDeadlock(_ suspects: inout [LockWait]) -> LockWait? {
        let state = ledger.state.withLock { $0 }
        guard !state.waits.isEmpty else {
            suspects = []
            return nil
        }
        // Without /proc/locks this still finds circles among clients.
        let stuck = LockCircles(state, (try? KernelLock.all()) ?? []).stuck
        let certain = stuck.first { wait in suspects.contains { $0 === wait } }
        suspects = stuck
        certain?.refuse(.deadlock)
        return certain
    }
}
