import Glibc
import SwitchFS
import Testing

/// What a program that uses the library does, with nothing imported but the library itself.
@Suite("The library", .enabled(if: canMount, "needs root and /dev/fuse"))
struct SwitchMountTests {
    /// Sends names that begin with "deny" nowhere and directories to the lower.
    private struct Selector: BranchSelector {
        func choose(_ operation: SelectedOperation, path: PathRef) -> BranchChoice {
            if path.hasPrefix("deny") { return .create(.deny) }
            return operation == .mkdir ? .create(.lower) : .mountDefault
        }
    }

    @Test("Mount, inspect, unmount, with a selector of one's own")
    func mounting() throws {
        let scratch = try TemporaryDirectory()
        let lower = try scratch.directory("lower")
        let upper = try scratch.directory("upper")
        let place = try scratch.directory("mount")
        _ = try scratch.file("lower/a", "below")

        let mount = try SwitchMount(
            MountOptions(lowers: [lower], upper: upper), at: place, selector: Selector())
        defer { mount.unmount() }
        #expect(mount.mountPoint == place)
        #expect(read(place + "/a") == "below")
        #expect(makeDirectory(place + "/made") == 0)
        #expect(exists(lower + "/made"))
        #expect(makeDirectory(place + "/deny") == EPERM)
        _ = unsafe rmdir(place + "/made")

        let status = mount.status
        #expect(status.pid == getpid())
        #expect(status.layers.map(\.path) == [upper, lower])
        #expect(status.counters.requests["LOOKUP", default: 0] > 0)
        #expect(status.counters.errors["EPERM"] == 1)
        #expect(try mount.explain("a").owner == 1)
        #expect(try mount.explain("nothing").kind == .absent)
        #expect(try MountInspection.status(at: place).layers == status.layers)
        #expect(try MountInspection.explain(place + "/a").owner == 1)
        #expect(try MountInspection.list().contains { $0.mountpoint == place && $0.pid == getpid() })
    }

    /// The one of the article "Writing a policy".
    private struct Slices: BranchSelector {
        func choose(_ operation: SelectedOperation, path: PathRef) -> BranchChoice {
            switch operation {
            case .mkdir where path.hasSuffix(".slice"): .create(.lower)
            case .create where path.hasSuffix(".lock"): .create(.deny)
            case .create, .mkdir, .read: .mountDefault
            }
        }
    }

    @Test("What the articles show")
    func articles() throws {
        let scratch = try TemporaryDirectory()
        let lower = try scratch.directory("lower")
        let upper = try scratch.directory("upper")
        let place = try scratch.directory("mount")
        let mount = try SwitchMount(
            MountOptions(lowers: [lower], upper: upper), at: place, selector: Slices())
        defer { mount.unmount() }
        #expect(makeDirectory(place + "/a.slice") == 0)
        #expect(exists(lower + "/a.slice"))
        _ = unsafe rmdir(place + "/a.slice")
        #expect(try mount.explain("a.lock").create == .fails(error: "EPERM", reason: "a rule denies it"))
        for layer in mount.status.layers where layer.coherence.mode == .check {
            #expect(!layer.coherence.reason.isEmpty)
        }

        _ = try scratch.file("lower/config", "new")
        mount.sync()
        #expect(read(place + "/config") == "new")

        let options = try MountOptions(
            parsing: "lowerdir=/srv/app:/srv/base=ro,upperdir=/srv/changes,workdir=/srv/work,"
                + "mkdir=lower,coherence=ttl,ttl=5")
        #expect(options.lowers.map(\.path) == ["/srv/app", "/srv/base"])
        #expect(options.lowers[1].readOnly == true)
        #expect(options.policies.mkdir == .lower && options.policies.timeToLive == 5)
        #expect(options.coherence == .ttl)
    }

    @Test("Each kind of object has its word")
    func kinds() throws {
        let scratch = try TemporaryDirectory()
        let lower = try scratch.directory("lower")
        let upper = try scratch.directory("upper")
        let place = try scratch.directory("mount")
        let makers: [(kind: Explanation.Kind, found: Explanation.Layer.Found, mode: mode_t, device: dev_t)] =
            [
                (.file, .file, S_IFREG, 0), (.fifo, .fifo, S_IFIFO, 0), (.socket, .socket, S_IFSOCK, 0),
                (.characterDevice, .characterDevice, S_IFCHR, 0x103),
                (.blockDevice, .blockDevice, S_IFBLK, 0x7c8),
            ]
        for maker in makers {
            try #require(unsafe mknod("\(lower)/\(maker.kind)", maker.mode | 0o600, maker.device) == 0)
        }
        try #require(unsafe symlink("nowhere", lower + "/symlink") == 0)
        try #require(unsafe mknod(upper + "/whiteout", S_IFCHR, 0) == 0)
        for path in [lower + "/merged", upper + "/merged", lower + "/pure"] {
            _ = makeDirectory(path)
        }
        defer {
            for name in makers.map({ "lower/\($0.kind)" }) + ["lower/symlink", "upper/whiteout"] {
                _ = unsafe unlink(scratch.path + "/" + name)
            }
            for name in ["lower/merged", "upper/merged", "lower/pure"] {
                _ = unsafe rmdir(scratch.path + "/" + name)
            }
        }
        let mount = try SwitchMount(MountOptions(lowers: [lower], upper: upper), at: place)
        defer { mount.unmount() }
        for maker in makers {
            let explanation = try mount.explain("\(maker.kind)")
            #expect(explanation.kind == maker.kind)
            #expect(explanation.layers.map(\.found) == [.nothing, maker.found])
        }
        #expect(try mount.explain("symlink").kind == .symlink)
        #expect(try mount.explain("pure").kind == .pure)
        #expect(try mount.explain("merged").kind == .merged)
        #expect(try mount.explain("whiteout").kind == .absent)
        #expect(try mount.explain("whiteout").layers.first?.found == .whiteout)
    }

    @Test("Unmounted by someone else, and mounted again")
    func remounting() throws {
        let scratch = try TemporaryDirectory()
        let lower = try scratch.directory("lower")
        let place = try scratch.directory("mount")
        for _ in 0..<5 {
            let mount = try SwitchMount(MountOptions(lowers: [lower]), at: place)
            try Unmounting.unmount(place)
            mount.waitUntilUnmounted()
        }
        #expect(throws: MountError.self) { try MountInspection.status(at: place) }
    }

    @Test("What can't be mounted leaves nothing")
    func failing() throws {
        let scratch = try TemporaryDirectory()
        let place = try scratch.directory("mount")
        #expect(throws: MountError.self) {
            try SwitchMount(MountOptions(lowers: [scratch.path + "/none"]), at: place)
        }
        #expect(throws: MountError.self) { try Unmounting.unmount(place) }
    }

    /// The error's number; 0 for none.
    private func makeDirectory(_ path: String) -> Int32 {
        unsafe mkdir(path, 0o755) == 0 ? 0 : errno
    }

    private func read(_ path: String) -> String? {
        let file = unsafe open(path, O_RDONLY)
        guard file >= 0 else { return nil }
        defer { close(file) }
        var bytes = [UInt8](repeating: 0, count: 100)
        let count = unsafe bytes.withUnsafeMutableBytes { unsafe Glibc.read(file, $0.baseAddress, $0.count) }
        return String(decoding: bytes.prefix(max(0, count)), as: UTF8.self)
    }
}

private func exists(_ path: String) -> Bool { unsafe access(path, F_OK) == 0 }

private var canMount: Bool { geteuid() == 0 && exists("/dev/fuse") }
