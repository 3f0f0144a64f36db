import Glibc
import SwitchTestKit
import SystemPackage
import Testing

/// Working directories and open directories see what is in the directory now, whatever has come to back it: rule 2.8
/// of the contract.
@Suite(.serialized, .enabled(if: Machine.canMount, "needs root and /dev/fuse"))
struct HeldHandleTests {
    static let modes = ["watch", "check"]
    static let files: [TestPath] = ["first", "second", "upper", "made", "note", "again"]

    /// One who works in a directory and has it open, twice; what he sees that isn't as it must be.
    private final class Holder {
        private let union: Union
        private let mode: String
        private let listing: ListingReader
        private let handle: Handle
        var place: TestPath
        private(set) var complaints: [String] = []

        init(_ union: Union, _ mode: String, at place: TestPath) throws {
            self.union = union
            self.mode = mode
            self.place = place
            listing = try ListingReader(".")
            handle = try Sys.open(".", Flag.path | Flag.directory)
        }

        var held: TestPath { TestPath("/proc/self/fd/\(handle.descriptor)") }

        func see(_ expected: [TestPath], after what: String) throws {
            if mode == "watch" { try union.synchronize() }
            let ways: [(String, () throws -> [TestPath])] = [
                ("path", { try Sys.names(self.union[self.place]) }),
                ("working directory", { try Sys.names(".") }),
                ("handle", { try Sys.names(self.held / ".") }),
                ("open listing", { try self.listed() }),
                ("lookups", { HeldHandleTests.files.filter { Sys.exists($0) } }),
                ("handle's lookups", { HeldHandleTests.files.filter { Sys.exists(self.held / $0) } }),
            ]
            for (way, look) in ways { judge(way, expected, what, look) }
            judge("same directory", [], what) {
                let (facts, own) = (try Sys.facts(self.union[self.place]), try self.handle.facts())
                return facts.inode == own.inode && facts.mode == own.mode ? [] : ["another"]
            }
        }

        private func judge(
            _ way: String, _ expected: [TestPath], _ what: String, _ look: () throws -> [TestPath]
        ) {
            do {
                let shown = try look().sorted()
                if shown != expected.sorted() { complaints.append("after \(what), \(way): \(shown)") }
            } catch {
                complaints.append("after \(what), \(way): \((error as? Errno)?.name ?? "\(error)")")
            }
        }

        private func listed() throws -> [TestPath] {
            try listing.seek(to: 0)
            return try listing.rest().map(\.name).filter { $0 != "." && $0 != ".." }
        }
    }

    /// A union of an upper and two lowers, `d` in the second; somebody stands in `d`.
    private func withHolder(
        _ mode: String, onExt4: Bool, place: TestPath = "p/d", _ body: (Union, Holder) throws -> Void
    ) throws {
        try withScratch { scratch throws in
            let ground = try onExt4 ? scratch.ext4("ground") : scratch.tmpfs("ground")
            for name in ["upper", "one", "two"] as [TestPath] { try Sys.makeDirectory(ground / name) }
            try Sys.makeDirectories(ground / "two" / place)
            try Sys.put(ground / "two" / place / "second", "second")
            try withUnion(
                in: scratch, upper: ground / "upper", lowers: [ground / "one", ground / "two"],
                options: ["coherence=\(mode)"]
            ) { union throws in
                let complaints = try acting(as: .root, in: union[place]) {
                    let holder = try Holder(union, mode, at: place)
                    try holder.see(["second"], after: "nothing")
                    let error = failure { try body(union, holder) }
                    return holder.complaints + (error.map { ["then a change ended with \($0.name)"] } ?? [])
                }
                #expect(complaints == [])
            }
        }
    }

    static let grounds = Machine.hasLoopDevices ? [false, true] : [false]

    @Test(arguments: modes, grounds)
    func aSkeletonIsMade(mode: String, onExt4: Bool) throws {
        try withHolder(mode, onExt4: onExt4) { union, holder throws in
            try Sys.put(union["p/d/note"], "note")
            try holder.see(["note", "second"], after: "creating by path")
            try Sys.put("made", "made")
            try holder.see(["made", "note", "second"], after: "creating in the working directory")
            try Sys.unlink(holder.held / "note")
            try holder.see(["made", "second"], after: "removing through the handle")
            try Sys.unlink(union["p/d/second"])
            try holder.see(["made"], after: "removing what the lower has")
        }
    }

    /// Made above first: the directory itself is made of nothing new.
    @Test(arguments: modes, grounds)
    func skeletonsAreMadeAbove(mode: String, onExt4: Bool) throws {
        try withHolder(mode, onExt4: onExt4) { union, holder throws in
            try Sys.put(union["p/above"], "above")
            try holder.see(["second"], after: "creating above")
            try Sys.put("made", "made")
            try holder.see(["made", "second"], after: "creating in the working directory")
        }
    }

    @Test(arguments: modes, grounds)
    func realDirectoriesComeAndGo(mode: String, onExt4: Bool) throws {
        try withHolder(mode, onExt4: onExt4) { union, holder throws in
            for (root, file) in [(union.upper ?? "", "upper"), (union.lowers[0], "first")] {
                let file = TestPath(file)
                for round in 0..<3 {
                    try Sys.makeDirectories(root / "p/d")
                    try holder.see(["second"], after: "\(file) directory, round \(round)")
                    try Sys.put(root / "p/d" / file, "x")
                    try holder.see([file, "second"], after: "\(file) file, round \(round)")
                    Sys.removeTree(root / "p")
                    try holder.see(["second"], after: "no \(file) directory, round \(round)")
                }
            }
        }
    }

    /// At no moment does the union show none there.
    @Test(arguments: modes, grounds)
    func anotherLayerTakesOver(mode: String, onExt4: Bool) throws {
        try withHolder(mode, onExt4: onExt4) { union, holder throws in
            try Sys.makeDirectories(union.inLower("p/d", 0))
            try Sys.put(union.inLower("p/d/first", 0), "first")
            try holder.see(["first", "second"], after: "both")
            Sys.removeTree(union.inLower("p", 1))
            try holder.see(["first"], after: "the first alone")
            try Sys.makeDirectories(union.inUpper("p/d"))
            try holder.see(["first"], after: "the upper too")
            Sys.removeTree(union.inLower("p", 0))
            try holder.see([], after: "the upper alone")
            try Sys.put("made", "made")
            try holder.see(["made"], after: "creating")
        }
    }

    @Test(arguments: modes, grounds)
    func theOriginGoesWhileEntriesStay(mode: String, onExt4: Bool) throws {
        try withHolder(mode, onExt4: onExt4) { union, holder throws in
            try Sys.put("note", "note")
            try holder.see(["note", "second"], after: "creating")
            Sys.removeTree(union.inLower("p/d", 1))
            try holder.see(["note"], after: "the origin gone")
            Sys.removeTree(union.inLower("p", 1))
            try holder.see(["note"], after: "all origins gone")
            try Sys.put("made", "made")
            try holder.see(["made", "note"], after: "creating in the orphan")
            try Sys.makeDirectories(union.inLower("p/d", 1))
            try Sys.put(union.inLower("p/d/again", 1), "again")
            try holder.see(["again", "made", "note"], after: "one of its name again")
        }
    }

    @Test(arguments: modes, grounds)
    func renamedThroughTheUnion(mode: String, onExt4: Bool) throws {
        try withHolder(mode, onExt4: onExt4) { union, holder throws in
            try Sys.rename(union["p/d"], union["p/e"])
            holder.place = "p/e"
            try holder.see(["second"], after: "the rename")
            try Sys.put(union["p/e/note"], "note")
            try holder.see(["note", "second"], after: "creating by path")
            try Sys.put("made", "made")
            try holder.see(["made", "note", "second"], after: "creating in the working directory")
        }
    }

    @Test(arguments: modes, grounds)
    func aParentIsRenamedThroughTheUnion(mode: String, onExt4: Bool) throws {
        try withHolder(mode, onExt4: onExt4) { union, holder throws in
            try Sys.rename(union["p"], union["q"])
            holder.place = "q/d"
            try holder.see(["second"], after: "the rename")
            try Sys.put("made", "made")
            try holder.see(["made", "second"], after: "creating in the working directory")
            try Sys.put(union.inLower("q/d/again", 1), "again")
            try holder.see(["again", "made", "second"], after: "creating underneath")
        }
    }
}
