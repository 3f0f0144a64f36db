import SwitchTestKit
import SystemPackage
import Testing

/// A program that uses the library lives on when a mount fails (`Tests/Support/Embedder`).
@Suite(.enabled(if: Machine.canMount, "needs root and /dev/fuse"))
struct EmbedderTests {
    /// With every number of threads that is too small, every number of free descriptors, and a worker that can't be
    /// set up: no mount, thread or descriptor is left, nor after a mount that succeeds and ends.
    @Test(arguments: ["threads", "descriptors", "set-up"])
    func aMountThatFailsLeavesNothing(scarcity: String) throws {
        try withScratch { scratch throws in
            let lower = try scratch.tree("lower", ["below": "x"])
            let upper = try scratch.directory("upper")
            let mount = try scratch.directory("mnt")
            defer { try? Sys.unmount(mount, lazily: true) }
            try run(Machine.built("switchfs-embedder"), scarcity, lower.text, upper.text, mount.text)
                .orThrow()
        }
    }
}
