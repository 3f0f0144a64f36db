import LinuxSystem
import SystemPackage
import Testing
import UnionCore

/// A union over real layers, with a scripted kernel above and a scripted source of changes below.
final class CoherenceScene {
    let fixture: Fixture
    let kernel: ScriptedKernel
    let changes: ScriptedChanges
    private let lowers: Int

    /// `layers`: a script that fills `upper`, `lower1`, …
    init(
        lowers: Int = 1, _ layers: String = "", readOnly: Set<Int> = [],
        policies: (inout Policies) -> Void = { _ in }
    ) throws {
        self.lowers = lowers
        changes = try ScriptedChanges()
        fixture = try Fixture(
            lowers: lowers, readOnly: readOnly, watcher: changes, policies: policies,
            before: { shell("cd \($0); \(layers.isEmpty ? ":" : layers)") })
        kernel = ScriptedKernel(fixture.union)
        changes.setSink(fixture.union.changeSink)
        try fixture.union.startCoherence(kernel)
    }

    deinit { fixture.union.stopCoherence() }

    /// Somebody changes the layers behind the union's back. Nobody looks at the events yet.
    func underneath(_ script: String, sourceLocation: SourceLocation = #_sourceLocation) {
        #expect(shell("cd \(fixture.base); \(script)") == 0, sourceLocation: sourceLocation)
    }

    /// The same, to be done when the time has come.
    func stranger(_ script: String) -> @Sendable () -> Void {
        let base = fixture.base
        return { shell("cd \(base); \(script)") }
    }

    /// Somebody exchanges two real objects.
    func exchange(_ name: String, _ other: String) throws(Errno) {
        let name = OwnedName(Array(path(name).utf8))
        let other = OwnedName(Array(path(other).utf8))
        try FileDescriptor.rename(
            from: .workingDirectory, name.ref, to: .workingDirectory, other.ref, flags: .exchange)
    }

    func path(_ real: String) -> String { fixture.base + "/" + real }

    /// `switchfs sync`: returns when all changes so far have been dealt with, or when a drop waits for a reply that
    /// hasn't arrived.
    func settle() {
        let (union, kernel) = (fixture.union, kernel)
        kernel.state.withLock { $0.settling += 1 }
        let waiter = try? WorkerThread.spawn(name: "sync") {
            union.synchronizeChanges()
            kernel.state.withLock { $0.settling -= 1 }
        }
        kernel.state.wait { $0.settling == 0 || $0.isHeldUp }
        waiter?.detach()
        kernel.sendForgets()
    }

    /// What happens before anybody has dealt with an event: who tells the kernel is at another one all the time.
    func beforeEvents<E: Error>(_ body: () throws(E) -> Void) throws(E) {
        kernel.state.withLock { $0.isBlocked = true }
        changes.tell(.object, at: path("lower1"))
        kernel.state.wait { $0.blocked > 0 }
        defer { kernel.state.withLock { $0.isBlocked = false } }
        try body()
    }

    /// Nothing that is told from here on is what was told before.
    func settleAndForget() {
        settle()
        kernel.forgetRecords()
    }

    /// Somebody changes the layers behind the union's back, and all of that is dealt with.
    func settle(after script: String, sourceLocation: SourceLocation = #_sourceLocation) {
        underneath(script, sourceLocation: sourceLocation)
        settle()
    }

    /// The same layers, of which nothing is kept.
    var configuration: UnionConfiguration {
        let names = ["upper"] + (1...lowers).map { "lower\($0)" }
        return UnionConfiguration(
            layers: names.map { LayerConfiguration(path: path($0)) }, hasUpper: true)
    }

    /// What the kernel shows, from what it keeps, beside what somebody sees who keeps nothing.
    func expectTruth(
        _ paths: String..., sourceLocation: SourceLocation = #_sourceLocation
    ) throws {
        let bystander = try Fixture(base: fixture.base, configuration: configuration)
        for path in paths {
            // By names alone first: on ESTALE the kernel would ask for them again.
            let isThere = bystander.exists(path)
            #expect(kernel.exists(path) == isThere, "\(path)", sourceLocation: sourceLocation)
            let shown = result { () throws(Errno) in try kernel.stat(path) }
            let fresh = result { () throws(Errno) in try bystander.attributes(path) }
            #expect(shown == fresh, "\(path)", sourceLocation: sourceLocation)
        }
    }

    private func result(_ body: () throws(Errno) -> Attributes) -> String {
        do throws(Errno) {
            let found = try body()
            return "inode \(found.inode) mode \(String(found.mode, radix: 8)) links \(found.linkCount) "
                + "size \(found.size) modified \(found.modificationTime) changed \(found.changeTime)"
        } catch {
            return "\(error)"
        }
    }
}
