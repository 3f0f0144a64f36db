internal import LinuxSystem
internal import Synchronization

extension Reporting {
    /// Returns when the union shows what control files there are since a write to this one: to its writer a
    /// change of the union's own shows at once.
    ///
    /// It waits for the thread that tells the kernel. That thread may wait for a directory's lock, and who
    /// holds that one, to remove or rename the written file, for the lock that the writer has on it. So this
    /// goes on after a moment in any case; then the change shows when that lock is free.
    func showControls(beside file: Node, _ scope: ControlScope) {
        guard coherence.plan.isLasting, let directory = file.alias?.parent,
            coherence.thread.withLock({ $0 != nil })
        else { return }
        coherence.invalidations.controlsChanged(in: directory.id, scope)
        coherence.invalidations.waitForAll(atMost: 100)
    }
}
