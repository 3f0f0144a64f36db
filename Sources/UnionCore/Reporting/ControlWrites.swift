internal import LinuxSystem
internal import Synchronization

extension Reporting {
    /// Returns when the union shows what control files there are since a write to this one: to its writer a
    /// change of the union's own shows at once.
    ///
    /// It waits for the thread that tells the kernel, which may wait for locks that other requests hold. No
    /// such lock is held over a write.
    func showControls(beside file: Node, _ scope: ControlScope) {
        guard coherence.plan.isLasting, let directory = file.alias?.parent,
            coherence.thread.withLock({ $0 != nil })
        else { return }
        coherence.invalidations.controlsChanged(in: directory.id, scope)
        coherence.invalidations.waitForAll()
    }
}
