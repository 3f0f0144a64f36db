import Glibc
import SwitchTestKit
import SystemPackage

/// Does one thing after another in the union, and looks at everything that it shows.
struct SwapClient {
    private let mount: TestPath
    private let hidden: Set<UInt64>
    private var random: SeededRandom
    /// Calls that did what they were to do.
    private(set) var done = 0
    /// What must not be.
    private(set) var faults: [String] = []

    init(_ mount: TestPath, hidden: Set<UInt64>, seed: UInt64) {
        self.mount = mount
        self.hidden = hidden
        random = SeededRandom(seed: seed)
    }

    mutating func step() {
        let path = self.path()
        let call = random.below(20)
        do throws(Errno) {
            try act(call, path)
            done += 1
        } catch {
            // Everything else may be, where names come and go.
            let never: [Errno] = [
                .ioError, .socketNotConnected, .badAddress, .badFileDescriptor, .noFunction,
            ]
            if never.contains(error) { faults.append("\(path), call \(call): \(error)") }
        }
    }

    private mutating func path() -> TestPath {
        let all = SwapScene.directories + SwapScene.files + SwapScene.travellers
        var path = mount / all[random.below(all.count)]
        switch random.below(8) {
        case 0: return path
        case 1: return SwapScene.link(path)
        case 2: path = path / "sub"
        default: break
        }
        return path / ["f", "g", "h", "sub", "new", "other", SwapScene.onlyOutside][random.below(7)]
    }

    private mutating func act(_ call: Int, _ path: TestPath) throws(Errno) {
        switch call {
        case 0...2: try look(path)
        case 3...5: try read(path)
        case 6: try list(path)
        case 7, 8: try create(path)
        case 9: try Sys.open(path, O_WRONLY | Flag.noFollow).write("client")
        case 10: try Sys.open(path, O_RDWR | O_TRUNC | Flag.noFollow).write("client")
        case 11: try Sys.changeMode(path, UInt32(0o700 + random.below(0o100)))
        case 12: try Sys.changeOwner(path, uid: UInt32(random.below(9)), gid: 7)
        case 13: try Sys.truncate(path, to: Int64(random.below(9)))
        case 14: try Sys.setXattr(path, "user.client", "1")
        case 15: try Sys.changeTimes(path, accessed: 1, modified: 1)
        case 16: try random.below(3) == 0 ? Sys.unlink(path) : create(path)
        case 17: try random.below(3) == 0 ? Sys.removeDirectory(path) : Sys.makeDirectory(named(path))
        case 18: try Sys.rename(path, named(self.path()), flags: UInt32(random.below(2)))
        default: try Sys.link(path, named(self.path()))
        }
    }

    /// What nobody may list, nobody makes.
    private func named(_ path: TestPath) -> TestPath {
        path.name == SwapScene.onlyOutside ? path.parent / "new" : path
    }

    private mutating func create(_ path: TestPath) throws(Errno) {
        let file = try Sys.open(named(path), O_RDWR | O_CREAT | Flag.noFollow)
        judge(try file.facts(), path)
        try file.write("client")
    }

    private mutating func look(_ path: TestPath) throws(Errno) {
        judge(try Sys.facts(path), path)
        _ = try Sys.xattrs(path)
    }

    private mutating func read(_ path: TestPath) throws(Errno) {
        let file = try Sys.open(path, O_RDONLY | O_NONBLOCK | Flag.noFollow)
        judge(try file.facts(), path)
        let text = String(decoding: try file.read(100), as: UTF8.self)
        if text.contains(SwapScene.secret) { faults.append("\(path) reads as the outside's") }
    }

    private mutating func list(_ path: TestPath) throws(Errno) {
        for entry in try Sys.list(path.parent) {
            if entry.name == SwapScene.onlyOutside { faults.append("\(path.parent) lists the outside") }
            if hidden.contains(entry.inode) { faults.append("\(path.parent) lists inode \(entry.inode)") }
        }
    }

    private mutating func judge(_ facts: FileFacts, _ path: TestPath) {
        if hidden.contains(facts.inode) { faults.append("\(path) has the outside's inode \(facts.inode)") }
    }
}
