import SwitchTestKit

/// The fixtures that have been built, below one directory. Lowers that nobody writes are built once for all
/// systems; uppers and native trees are each system's own.
final class FixtureStore {
    let root: TestPath
    private var known: [String: Layers] = [:]
    private var isShared: Set<String> = []
    /// Numbers the directories that can be renewed.
    private var serial = 0
    /// The lower of cgroups; it goes with this.
    private var cgroup: Cgroup?

    init(root: TestPath) {
        self.root = root
    }

    /// A system's layers of a fixture, built at first use.
    func layers(of fixture: Fixture, for system: System) throws -> Layers {
        if let layers = known[key(fixture, system)] { return layers }
        let layers =
            try system == .native
            ? makeNative(fixture) : makeUnion(fixture, system, lowers: lowers(fixture, for: system))
        known[key(fixture, system)] = layers
        // What was just written goes to the disk now, not while something is measured.
        try synchronize()
        return layers
    }

    /// Replaces what workloads have changed by new: the upper and work directory, or the native tree, unless that is
    /// what holds a lower's files. Only of unmounted systems.
    ///
    /// New means another directory. ext4 without a journal doesn't give the inodes of removed files away for some
    /// minutes and looks at each of them whenever a file is made; a new directory has its own part of the disk.
    func renew(_ fixture: Fixture, for system: System) throws {
        guard let old = known[key(fixture, system)] else { return }
        if system == .native {
            if fixture.lowerIsWhole || fixture.writesLowers { return }
            Sys.removeTree(old.upper)
            known[key(fixture, system)] = try makeNative(fixture)
        } else {
            Sys.removeTree(old.upper)
            Sys.removeTree(old.work)
            known[key(fixture, system)] = try makeUnion(fixture, system, lowers: old.lowers)
        }
    }

    func synchronize() throws {
        try run("sync", "-f", root.text).orThrow()
    }

    private func key(_ fixture: Fixture, _ system: System) -> String { "\(fixture.name)/\(system.name)" }

    private func lowers(_ fixture: Fixture, for system: System) throws -> [TestPath] {
        guard fixture.writesLowers else { return try sharedLowers(fixture) }
        return try makeLowers(fixture, at: place(of: fixture, system))
    }

    private func makeUnion(_ fixture: Fixture, _ system: System, lowers: [TestPath]) throws -> Layers {
        let place = try place(of: fixture, system)
        serial += 1
        let layers = Layers(
            upper: place / "u\(serial)", work: place / "w\(serial)", lowers: lowers, mount: place / "m")
        for path in [layers.upper, layers.work, layers.mount] { try Sys.makeDirectories(path) }
        if fixture.fillsUpper {
            let none = [TestPath?](repeating: nil, count: fixture.lowers)
            try fixture.build(TreeWriter(roots: [layers.upper] + none))
        }
        return layers
    }

    private func makeNative(_ fixture: Fixture) throws -> Layers {
        let place = try place(of: fixture, .native)
        serial += 1
        var tree = place / "t\(serial)"
        if fixture.lowerIsWhole {
            tree = try sharedLowers(fixture)[0]
        } else {
            try Sys.makeDirectories(tree)
            try fixture.build(TreeWriter(roots: Array(repeating: tree, count: fixture.lowers + 1)))
        }
        let mount = place / "m"
        try Sys.makeDirectories(mount)
        let lowers = Array(repeating: tree, count: fixture.lowers)
        return Layers(upper: tree, work: place / "w", lowers: lowers, mount: mount)
    }

    /// The directory of one system's own layers. ext4 spreads what is made in it over the disk, as it does at the top.
    private func place(of fixture: Fixture, _ system: System) throws -> TestPath {
        let path = root / TestPath(fixture.name) / TestPath(system.name)
        if !Sys.exists(path) {
            try Sys.makeDirectories(path)
            _ = try? run("chattr", "+T", path.text)
        }
        return path
    }

    private func sharedLowers(_ fixture: Fixture) throws -> [TestPath] {
        if fixture.isOfCgroups { return [try cgroupLower(fixture)] }
        let place = root / TestPath(fixture.name)
        if isShared.insert(fixture.name).inserted { return try makeLowers(fixture, at: place) }
        return lowerPaths(fixture, at: place)
    }

    private func cgroupLower(_ fixture: Fixture) throws -> TestPath {
        if let cgroup { return cgroup.path }
        guard let hierarchy = Machine.cgroup2 else { throw FixtureError("no cgroup v2 tree") }
        let made = try Cgroup(in: hierarchy, "bench")
        cgroup = made
        try fixture.build(TreeWriter(roots: [nil, made.path]))
        return made.path
    }

    private func lowerPaths(_ fixture: Fixture, at place: TestPath) -> [TestPath] {
        // Short names: twenty of them have to fit into the one page of mount(2).
        (1...fixture.lowers).map { place / "\($0)" }
    }

    private func makeLowers(_ fixture: Fixture, at place: TestPath) throws -> [TestPath] {
        let lowers = lowerPaths(fixture, at: place)
        for lower in lowers { try Sys.makeDirectories(lower) }
        try fixture.build(TreeWriter(roots: [nil] + lowers))
        return lowers
    }
}
