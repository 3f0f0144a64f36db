import LinuxSystem
import SystemPackage
import Testing
import UnionCore

/// A union directory is one node as long as the union shows one there, whatever comes to back it or ceases to: mounts,
/// working directories and names that are right stay.
@Suite struct SameDirectoryTests {
    /// `a/b` in the first lower, with a file mount and a directory mount inside, somebody in both directories, and names
    /// known as missing.
    private struct Held {
        let scene: CoherenceScene
        let (a, b): (NodeID, NodeID)
        let mounts: [Int]

        init(_ layers: String = ":") throws {
            scene = try CoherenceScene(
                lowers: 2,
                "mkdir -p lower1/a/b/c lower1/other; echo 1 >lower1/a/f; echo 1 >lower1/a/b/g; \(layers)")
            let kernel = scene.kernel
            mounts = [try kernel.mount(on: "a/f"), try kernel.mount(on: "a/b/c"), try kernel.mount(on: "a")]
            (a, b) = (try kernel.hold("a"), try kernel.hold("a/b"))
            try kernel.stat("a/b/g")
            for path in ["a/new", "a/none", "a/b/new", "a/b/none"] { #expect(!kernel.exists(path)) }
            try kernel.list("a")
            try kernel.list("a/b")
            scene.settleAndForget()
        }

        /// Nothing is lost, and no request is sent for what was right.
        func expectKept(sourceLocation: SourceLocation = #_sourceLocation) throws {
            let kernel = scene.kernel
            #expect(mounts.allSatisfy(kernel.isMounted), sourceLocation: sourceLocation)
            kernel.forgetRecords()
            #expect(try kernel.walk("a") == a, sourceLocation: sourceLocation)
            #expect(try kernel.walk("a/b") == b, sourceLocation: sourceLocation)
            for path in ["a/f", "a/b/g", "a/b/c"] {
                #expect(kernel.exists(path), "\(path)", sourceLocation: sourceLocation)
            }
            #expect(!kernel.exists("a/none"), sourceLocation: sourceLocation)
            #expect(!kernel.exists("a/b/none"), sourceLocation: sourceLocation)
            #expect(kernel.requests == [], sourceLocation: sourceLocation)
            try scene.expectTruth("a", "a/f", "a/b", "a/b/g", "a/b/c", sourceLocation: sourceLocation)
        }
    }

    @Test func aSkeletonIsMade() throws {
        let held = try Held()
        try held.scene.kernel.create("a/new")
        held.scene.settle()
        #expect(held.scene.kernel.droppedNames == [])
        try held.expectKept()
        #expect(try held.scene.kernel.list("a").sorted() == ["b", "f", "new"])
    }

    /// What takes a directory's place for a moment comes with a directory that isn't watched yet.
    @Test(arguments: ["", "; rmdir upper/a/b/c"]) func anotherStandsInUnseen(end: String) throws {
        let held = try Held()
        held.scene.underneath("mkdir -p upper/a/b/c; rmdir lower1/a/b/c; mkdir lower1/a/b/c\(end)")
        held.scene.settle()
        #expect(held.mounts.allSatisfy(held.scene.kernel.isMounted))
        try held.scene.expectTruth("a/b", "a/b/c", "a/b/g")
    }

    /// What takes a directory's place for a moment is in one that came after what is watched had gone, or that came and went
    /// before anybody looked; or what that is in did so.
    @Test(arguments: [
        "rmdir upper/a/b/c upper/a/b; mkdir -p upper/a/b/c; replace; rmdir upper/a/b/c",
        "rmdir upper/a/b/c upper/a/b upper/a; mkdir -p upper/a/b/c; replace; rmdir upper/a/b/c",
        "rmdir upper/a/b/c upper/a/b; mkdir -p upper/a/b/c; replace; rmdir upper/a/b/c upper/a/b",
        "rmdir upper/a/b/c upper/a/b upper/a; mkdir -p upper/a/b/c; replace; rm -r upper/a",
    ]) func anotherStandsInUnseenAgain(script: String) throws {
        let held = try Held("mkdir -p upper/a/b/c")
        held.scene.underneath("replace() { rmdir lower1/a/b/c; mkdir lower1/a/b/c; }; \(script)")
        held.scene.settle()
        #expect(held.mounts.allSatisfy(held.scene.kernel.isMounted))
        try held.scene.expectTruth("a/b", "a/b/c", "a/b/g")
    }

    /// The same where there was nothing before: what came has gone again, and the directories above are made of what they
    /// were made of.
    @Test(arguments: ["upper/a/b", "upper/a"]) func anotherStoodInUnseen(top: String) throws {
        let held = try Held("mkdir -p $(dirname \(top))")
        held.scene.underneath("mkdir -p upper/a/b/c; rmdir lower1/a/b/c; mkdir lower1/a/b/c; rm -r \(top)")
        held.scene.settle()
        #expect(held.mounts.allSatisfy(held.scene.kernel.isMounted))
        try held.scene.expectTruth("a/b", "a/b/c", "a/b/g")
    }

    /// Nothing stands in for it, whatever came above it before, and whatever else happens to what it is in.
    @Test(arguments: ["mkdir -p upper/a/b", "mkdir -p upper/a/b; rm -r upper/a", "mkdir -p lower2/a/b"])
    func nothingStandsIn(before: String) throws {
        let held = try Held()
        held.scene.underneath(before)
        held.scene.settle()
        held.scene.underneath("chmod 700 lower1/a/b; rmdir lower1/a/b/c; mkdir lower1/a/b/c")
        held.scene.settle()
        #expect(held.mounts.map(held.scene.kernel.isMounted) == [true, false, true])
        try held.scene.expectTruth("a/b", "a/b/c", "a/b/g")
    }

    /// The same after a skeleton was made, which changes what the directory above is made of.
    @Test func nothingStandsInAfterASkeleton() throws {
        let held = try Held()
        try held.scene.kernel.create("a/new")
        held.scene.settle()
        held.scene.underneath("rmdir lower1/a/b/c; mkdir lower1/a/b/c")
        held.scene.settle()
        #expect(held.mounts.map(held.scene.kernel.isMounted) == [true, false, true])
    }

    /// Two skeletons are made, the one in the other.
    @Test func skeletonsAreMadeAbove() throws {
        let held = try Held()
        try held.scene.kernel.mkdir("a/b/new")
        held.scene.settle()
        #expect(held.scene.kernel.droppedNames == [])
        try held.expectKept()
        #expect(held.scene.kernel.exists("new", from: held.b))
    }

    /// By somebody who stands in the directory.
    @Test func aSkeletonIsMadeFromInside() throws {
        let held = try Held()
        try held.scene.kernel.create("new", from: held.b)
        held.scene.settle()
        #expect(held.scene.kernel.droppedNames == [])
        try held.expectKept()
        #expect(held.scene.kernel.exists("a/b/new"))
    }

    /// Of the name in the watched directory inotify says first that one came, or first that one went.
    @Test(arguments: [["lower1/x", "lower1/a"], ["lower1/a", "lower1/x"]])
    func theOnlyDirectoryIsExchanged(names: [String]) throws {
        let held = try Held("mkdir -p lower1/x/b/c; echo 2 >lower1/x/f")
        try held.scene.exchange(names[0], names[1])
        held.scene.settle()
        #expect(!held.mounts.contains(where: held.scene.kernel.isMounted))
        #expect(try held.scene.kernel.walk("a") != held.a)
    }

    /// What backs it now was never all that there was.
    @Test(arguments: [["lower1/x", "lower1/a"], ["lower1/a", "lower1/x"]])
    func oneOfTwoIsExchangedAndTheOtherGoes(names: [String]) throws {
        let held = try Held("mkdir -p lower1/x/b/c; echo 1 >lower1/x/f; echo 1 >lower1/x/b/g")
        held.scene.underneath("mkdir upper/a")
        held.scene.settle()
        try held.scene.exchange(names[0], names[1])
        held.scene.underneath("rmdir upper/a")
        held.scene.settle()
        #expect(held.scene.kernel.isMounted(held.mounts[2]))
        #expect(try held.scene.kernel.walk("a") == held.a)
    }

    /// Between a look and the note of what it found. All that backs it is another one at the end, in two layers of which
    /// one backed it before.
    @Test func everythingChangesWhileThatIsNoted() throws {
        let held = try Held()
        let scene = held.scene
        scene.underneath("mkdir upper/a")
        let change = scene.stranger("mkdir lower2/a; rmdir upper/a; rm -r lower1/a; mkdir upper/a")
        scene.changes.beforeNextWatch { [changes = scene.changes] in
            change()
            changes.drain()
        }
        scene.settle()
        #expect(scene.kernel.isMounted(held.mounts[2]))
        #expect(try scene.kernel.walk("a") == held.a)
    }

    @Test(arguments: ["upper", "lower2"]) func aRealDirectoryAppears(layer: String) throws {
        let held = try Held()
        held.scene.underneath("mkdir -p \(layer)/a/b; touch \(layer)/a/new \(layer)/a/b/new")
        held.scene.settle()
        let names = Set([NameKey(held.a, "new"), NameKey(held.b, "new")])
        #expect(Set(held.scene.kernel.droppedNames) == names)
        try held.expectKept()
        #expect(held.scene.kernel.exists("new", from: held.a))
        #expect(held.scene.kernel.exists("new", from: held.b))
        #expect(try held.scene.kernel.names(in: held.b).sorted() == ["c", "g", "new"])
    }

    /// All at once: nobody has watched what was in it before.
    @Test(arguments: ["upper", "lower2"]) func aTreeAppears(layer: String) throws {
        let held = try Held("mkdir -p \(layer)/aside/b; touch \(layer)/aside/new \(layer)/aside/b/new")
        held.scene.underneath("mv \(layer)/aside \(layer)/a")
        held.scene.settle()
        let names = Set([NameKey(held.a, "new"), NameKey(held.b, "new")])
        #expect(Set(held.scene.kernel.droppedNames) == names)
        try held.expectKept()
        #expect(held.scene.kernel.exists("a/new"))
        #expect(held.scene.kernel.exists("new", from: held.b))
        // What appeared is watched.
        held.scene.underneath("rm \(layer)/a/b/new")
        held.scene.settle()
        #expect(!held.scene.kernel.exists("new", from: held.b))
    }

    /// What appears covers a file that something is mounted on: that one is replaced, and nothing else.
    @Test func aDirectoryAppearsThatCovers() throws {
        let held = try Held()
        held.scene.underneath("mkdir upper/aside; echo upper >upper/aside/f; mv upper/aside upper/a")
        held.scene.settle()
        #expect(held.scene.kernel.droppedNames == [NameKey(held.a, "f")])
        #expect(held.mounts.map(held.scene.kernel.isMounted) == [false, true, true])
        #expect(try held.scene.kernel.walk("a/b") == held.b)
        try held.scene.expectTruth("a", "a/f", "a/b")
    }

    @Test(arguments: ["upper", "lower2"]) func aRealDirectoryGoes(layer: String) throws {
        let held = try Held("mkdir -p \(layer)/a/b; touch \(layer)/a/more \(layer)/a/b/more")
        let kernel = held.scene.kernel
        for path in ["a/more", "a/b/more"] { try kernel.stat(path) }
        held.scene.settleAndForget()
        held.scene.underneath("mv \(layer)/a \(layer)/aside")
        held.scene.settle()
        let names = Set([NameKey(held.a, "more"), NameKey(held.b, "more")])
        #expect(Set(kernel.droppedNames) == names)
        try held.expectKept()
        #expect(!kernel.exists("more", from: held.b))
        #expect(try kernel.names(in: held.b).sorted() == ["c", "g"])
    }

    /// The lower that the directory began with goes, but another one backs it by then.
    @Test func anotherOneBacksIt() throws {
        let held = try Held()
        let kernel = held.scene.kernel
        held.scene.underneath("mkdir -p lower2/a/b; touch lower2/a/new")
        held.scene.settle()
        held.scene.underneath("rm -r lower1/a")
        held.scene.settle()
        #expect(try kernel.walk("a") == held.a)
        #expect(try kernel.walk("a/b") == held.b)
        #expect(held.mounts.map(kernel.isMounted) == [false, false, true])
        #expect(kernel.exists("new", from: held.a))
        #expect(!kernel.exists("g", from: held.b))
        try held.scene.expectTruth("a", "a/b", "a/f")
    }

    /// A skeleton outlives its origin, with what it holds.
    @Test func theOriginGoes() throws {
        let held = try Held()
        let kernel = held.scene.kernel
        try kernel.create("a/new")
        held.scene.settle()
        held.scene.underneath("rm -r lower1/a")
        held.scene.settle()
        #expect(try kernel.walk("a") == held.a)
        #expect(held.mounts.map(kernel.isMounted) == [false, false, true])
        #expect(kernel.exists("new", from: held.a))
        #expect(!kernel.exists("f", from: held.a))
        try held.scene.expectTruth("a", "a/new", "a/b")
    }

    /// Without a gap, it says: what is made again is another directory.
    @Test func itIsGoneInBetween() throws {
        let held = try Held()
        held.scene.underneath("rm -r lower1/a; mkdir -p lower1/a/b/c; touch lower1/a/new")
        held.scene.settle()
        #expect(held.scene.kernel.droppedNames.contains(NameKey(.root, "a")))
        #expect(held.mounts.allSatisfy { !held.scene.kernel.isMounted($0) })
        #expect(try held.scene.kernel.walk("a") != held.a)
        try held.scene.expectTruth("a", "a/new", "a/b", "a/b/c")
    }

    /// Somebody renames a directory of the mount all the time: nobody is told of a directory at another place.
    @Test func nothingMustBeMoved() throws {
        let held = try Held()
        try held.scene.kernel.create("a/new")
        try held.scene.kernel.whileRenaming { () throws(Errno) in
            try held.scene.kernel.stat("a/b/c")
            held.scene.settle()
            try held.scene.kernel.stat("a/b/c")
        }
    }

    /// A file beside, and a sibling that is renamed, have nothing to do with it.
    @Test func siblings() throws {
        let held = try Held("mkdir upper/pure")
        let kernel = held.scene.kernel
        try kernel.create("beside")
        try kernel.rename("pure", "renamed")
        held.scene.underneath("touch lower1/below; mv lower1/other lower1/others")
        held.scene.settle()
        try held.expectKept()
    }
}
