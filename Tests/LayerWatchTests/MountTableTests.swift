import Glibc
import LayerWatch
import LinuxSystem
import SystemPackage
import Testing

import func SwitchTestKit.eventually

@Suite struct MountTableTests {
    /// Others may mount things meanwhile: what can't be is that nothing is told.
    @Test(.enabled(if: geteuid() == 0, "needs root"))
    func mountsAndUnmountsAreTold() throws {
        let scene = try Scene(in: .disk)
        let place = OwnedName(scene.path)
        for _ in 0..<10 {
            scene.watcher.drain()
            let first = scene.recorder.mountChangeCount
            try Mounting.mount(source: "none", target: place.ref, type: "tmpfs", flags: [], options: "")
            scene.watcher.drain()
            let second = scene.recorder.mountChangeCount
            try Mounting.unmount(place.ref)
            scene.watcher.drain()
            #expect(first < second && second < scene.recorder.mountChangeCount)
        }
    }

    /// By the thread, without a call.
    @Test(.enabled(if: geteuid() == 0, "needs root"))
    func theThreadWakes() throws {
        let scene = try Scene(in: .disk)
        scene.watcher.drain()
        let first = scene.recorder.mountChangeCount
        let place = OwnedName(scene.path)
        try Mounting.mount(source: "none", target: place.ref, type: "tmpfs", flags: [], options: "")
        defer { try? Mounting.unmount(place.ref) }
        try eventually("the thread has woken") { scene.recorder.mountChangeCount > first }
        #expect(scene.recorder.mountChangeCount > first)
    }
}
