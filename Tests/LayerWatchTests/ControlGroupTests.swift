import LayerWatch
import LinuxSystem
import SwitchTestKit
import SystemPackage
import Testing
import UnionCore

/// What the watch of a cgroup tells besides that of any directory.
@Suite(.serialized, .enabled(if: Machine.cgroup2 != nil, "needs a cgroup v2 tree"))
struct ControlGroupTests {
    private func withWatchedGroup(_ body: (TestPath, Watcher, Recorder) throws -> Void) throws {
        try withCgroup(in: Machine.cgroup2, "watcher") { group throws in
            let (watcher, recorder) = (try Watcher(), Recorder())
            try watcher.start(recorder)
            defer { watcher.stop() }
            let name = OwnedName(group.path.text)
            let directory = try FileDescriptor.workingDirectory.openPlain(
                name.ref, flags: [.path, .directory])
            #expect(watcher.watch(directory.descriptor, for: .root, layer: 3, as: .controlGroup))
            try body(group.path, watcher, recorder)
        }
    }

    private func changes(_ watcher: Watcher, _ recorder: Recorder) -> Set<String> {
        watcher.drain()
        return Set(recorder.take())
    }

    @Test func writesThatBringControlFiles() throws {
        try withWatchedGroup { group, watcher, recorder throws in
            try Sys.overwrite(group / "cgroup.subtree_control", "\n")
            #expect(
                changes(watcher, recorder) == [
                    "1/3 fileContent cgroup.subtree_control"
                ])
            // It fails, but the file was open for writing.
            _ = try? Sys.overwrite(group / "cgroup.type", "nonsense\n")
            #expect(changes(watcher, recorder) == ["1/3 fileContent cgroup.type"])
        }
    }

    /// They may have changed the file's times.
    @Test func otherWrites() throws {
        try withWatchedGroup { group, watcher, recorder throws in
            for _ in 0..<100 { try Sys.overwrite(group / "cgroup.max.depth", "3\n") }
            #expect(changes(watcher, recorder) == ["1/3 fileContent cgroup.max.depth"])
        }
    }

    @Test func attributesOfControlFiles() throws {
        try withWatchedGroup { group, watcher, recorder throws in
            try Sys.changeMode(group / "cgroup.procs", 0o600)
            #expect(changes(watcher, recorder) == ["1/3 fileAttributes cgroup.procs"])
        }
    }
}
