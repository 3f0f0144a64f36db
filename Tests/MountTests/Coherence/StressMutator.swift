import Glibc
import SwitchTestKit
import SystemPackage

/// Makes one random change after another in a tree: a layer, or the mount. Most fail, as others change the same
/// names; that is not its business.
struct StressMutator: StressChanger {
    let root: TestPath
    /// Outside of the tree, on its file system; nil: nothing is moved out or in.
    let outside: TestPath?
    /// A layer in which whiteouts and opaque marks mean something.
    let marks: Bool
    let names: StressNames
    private var random: SeededRandom
    private var kept: Handle?
    private var serial = 0

    init(
        root: TestPath, outside: TestPath?, marks: Bool, names: StressNames = .few, seed: UInt64
    ) {
        self.names = names
        self.root = root
        self.outside = outside
        self.marks = marks
        random = SeededRandom(seed: seed)
    }

    /// Returns the error, if there was one.
    mutating func step() -> Errno? {
        do {
            try change()
            return nil
        } catch {
            return error as? Errno
        }
    }

    private mutating func change() throws {
        let (a, b) = (path(), path())
        let number = random.below(4000)
        switch random.below(38) {
        case 0...4: try Sys.put(a, text(number % 50))
        case 5, 6: try Sys.open(a, O_WRONLY | O_APPEND | O_CREAT).write(text(1 + number % 50))
        case 7...9: try Sys.unlink(a)
        case 10...13: try move(a, b)
        case 14, 15: try move(a, b, flags: Flag.renameExchange)
        case 16: try Sys.changeMode(a, 0o600 | UInt32(number & 0o177))
        case 17: try Sys.changeOwner(a, uid: UInt32(number % 5))
        case 18, 19: try Sys.truncate(a, to: Int64(number))
        case 20...22: try Sys.makeDirectory(directoryPath())
        case 23, 24: try Sys.removeDirectory(a)
        case 25, 26: try Sys.link(a, b)
        case 27: try Sys.makeSymlink(a, to: TestPath("/nowhere/" + text(number % 9)))
        case 28: try createAndPutTimeBack(a, number)
        case 29: Sys.removeTree(a)
        case 30: try keepOrWrite(a)
        case 31: try changeTimes(a, Int64(number) * 1_000_000_007)
        case 32: try makeSubtree(directoryPath())
        case 33: try takeOut(a)
        case 34: try bringIn(a)
        case 35: try replaceByFile(a)
        case 36: try mark(a)
        default: try makeOpaque(a, number)
        }
    }

    private mutating func path() -> TestPath { root / names.random(&random) }
    private mutating func directoryPath() -> TestPath { root / names.random(&random, depth: 2) }

    private func text(_ count: Int) -> String { String(repeating: "x", count: count) }

    /// Not what the union itself keeps in the layer, which only it may put somewhere else.
    private func move(_ old: TestPath, _ new: TestPath, flags: UInt32 = 0) throws {
        for path in marks ? [old, new] : [] where (try? Sys.xattrs(path))?.isEmpty == false {
            guard try !Sys.xattrs(path).contains(where: { $0.contains(".switchfs.") }) else { return }
        }
        try Sys.rename(old, new, flags: flags)
    }

    /// As tar and rsync do: the directory's time says that nothing has happened.
    private func createAndPutTimeBack(_ path: TestPath, _ number: Int) throws {
        let before = try Sys.facts(path.parent).modified
        try Sys.put(path, text(number % 50))
        try changeTimes(path.parent, before)
    }

    /// Both times: of a directory whose time of modification alone is set, inotify says nothing.
    private func changeTimes(_ path: TestPath, _ time: Int64) throws {
        try Sys.changeTimes(path, accessed: time, modified: time)
    }

    /// A file kept open, written to whatever has become of its name.
    private mutating func keepOrWrite(_ path: TestPath) throws {
        if let kept {
            try kept.write("kept")
            if random.below(3) == 0 { self.kept = nil }
        } else {
            kept = try Sys.open(path, O_WRONLY)
        }
    }

    private func makeSubtree(_ path: TestPath) throws {
        try Sys.makeDirectories(path / "n0")
        try Sys.put(path / "n1", "sub")
    }

    private mutating func takeOut(_ path: TestPath) throws {
        guard let outside else { return try Sys.unlink(path) }
        serial = (serial + 1) % 4
        Sys.removeTree(outside / "\(serial)")
        try move(path, outside / "\(serial)")
    }

    private mutating func bringIn(_ path: TestPath) throws {
        guard let outside else { return try Sys.makeDirectory(path) }
        try move(outside / "\(random.below(4))", path)
    }

    private mutating func replaceByFile(_ path: TestPath) throws {
        try takeOut(path)
        try Sys.put(path, "instead")
    }

    private func mark(_ path: TestPath) throws {
        guard marks else { return try Sys.put(path, "") }
        try Sys.makeNode(path, mode: S_IFCHR | 0o644)
    }

    private func makeOpaque(_ path: TestPath, _ number: Int) throws {
        guard marks, try Sys.facts(path).kind == .directory,
            try !Sys.xattrs(path).contains(where: { $0.contains(".switchfs.") })
        else { return }
        if number % 2 == 0 {
            try Sys.setXattr(path, "trusted.overlay.opaque", "y")
        } else {
            try Sys.removeXattr(path, "trusted.overlay.opaque")
        }
    }
}
