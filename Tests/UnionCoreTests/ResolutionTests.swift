import LinuxSystem
import SystemPackage
import Testing
import UnionCore

@Suite struct ResolutionTests {
    @Test func theUpperWins() throws {
        let fixture = try Fixture(before: { shell("echo up > \($0)/upper/f; echo low > \($0)/lower1/f") })
        #expect(try fixture.read("f") == "up\n")
        #expect(try fixture.names("") == ["f"])
    }

    @Test func aFileHidesADirectoryBelowAndTheOtherWayRound() throws {
        let fixture = try Fixture(before: {
            shell("cd \($0); echo x > upper/a; mkdir -p lower1/a/in upper/b; echo y > lower1/b")
        })
        #expect(try fixture.attributes("a").kind == .regular)
        #expect(try fixture.names("b").isEmpty)
        #expect(fixture.error { () throws(Errno) in _ = try fixture.node("a/in") } != nil)
    }

    @Test func aFileBetweenEndsTheMerge() throws {
        let fixture = try Fixture(
            lowers: 3,
            before: { shell("cd \($0); mkdir -p lower1/d lower3/d; echo > lower2/d; echo > lower3/d/deep") })
        #expect(try fixture.names("d").isEmpty)
        #expect(!fixture.exists("d/deep"))
    }

    /// Nothing tells of what the union itself does in a static layer.
    @Test func whatIsMadeInStaticLayersIsFoundAgain() throws {
        let fixture = try Fixture(
            lowers: 3, coherence: .static,
            before: { shell("cd \($0); mkdir upper/d lower1/d lower2/d lower3/d; echo > lower2/d/old") })
        let directory = try fixture.node("d")
        // So often that the directories' names are kept.
        for _ in 0..<20 { _ = try? fixture.union.lookup(directory, "old", root) }
        try fixture.create("d/new")
        try fixture.mkdir("d/other")
        #expect(try fixture.attributes("d/new").kind == .regular)
        #expect(try fixture.attributes("d/other").kind == .directory)
    }

    @Test func whiteoutsHide() throws {
        let fixture = try Fixture(
            lowers: 2,
            before: {
                shell(
                    """
                    cd \($0); echo > lower2/a; echo > lower2/b; mkdir lower2/c; echo > lower2/c/in
                    mknod upper/a c 0 0; mknod lower1/b c 0 0; mknod lower1/c c 0 0
                    """)
            })
        #expect(try fixture.names("").isEmpty)
        for name in ["a", "b", "c", "c/in"] { #expect(!fixture.exists(name)) }
    }

    @Test(.enabled(if: isRoot, "trusted attributes need root"), arguments: ["trusted", "user"])
    func attributeWhiteoutsAndOpaqueDirectories(kind: String) throws {
        let fixture = try Fixture(before: {
            shell(
                """
                cd \($0); mkdir -p lower1/d lower1/o upper/d upper/o; echo > lower1/d/f; echo > lower1/o/f
                : > upper/d/f; setfattr -n \(kind).overlay.whiteout -v y upper/d/f
                setfattr -n \(kind).overlay.opaque -v x upper/d
                : > upper/d/kept; setfattr -n \(kind).overlay.opaque -v y upper/o; echo > upper/o/own
                """)
        })
        #expect(try fixture.names("d") == ["kept"])
        #expect(!fixture.exists("d/f"))
        #expect(try fixture.names("o") == ["own"])
        #expect(!fixture.exists("o/f"))
    }

    @Test func ociMarksHoldInOCILayersOnly() throws {
        let fixture = try Fixture(
            lowers: 2, oci: [1],
            before: {
                shell(
                    """
                    cd \($0); mkdir -p lower2/d lower1/d; echo > lower2/f; echo > lower2/.wh.plain
                    echo > lower2/d/hidden; : > lower1/.wh.f; : > lower1/d/.wh..wh..opq; echo > lower1/d/own
                    """)
            })
        #expect(try fixture.names("") == [".wh.plain", "d"])
        #expect(!fixture.exists("f"))
        #expect(!fixture.exists(".wh.f"))
        #expect(try fixture.names("d") == ["own"])
        #expect(!fixture.exists("d/hidden"))
    }

    @Test func aMergedDirectoryListsEachNameOnceWithItsInode() throws {
        let fixture = try Fixture(
            lowers: 2,
            before: {
                shell(
                    """
                    cd \($0); mkdir -p upper/d/sub lower1/d/sub lower2/d
                    echo > upper/d/a; echo > lower1/d/a; echo > lower1/d/b; echo > lower2/d/c
                    """)
            })
        let listing = try fixture.listing("d")
        #expect(listing.keys.sorted() == ["a", "b", "c", "sub"])
        for (name, inode) in listing { #expect(try fixture.attributes("d/\(name)").inode == inode) }
        #expect(try fixture.attributes("d").linkCount == 1)
    }

    @Test func symlinksInALayerAreNeverFollowed() throws {
        let fixture = try Fixture(before: { shell("ln -s /etc \($0)/lower1/out; mkdir \($0)/lower1/d") })
        #expect(try fixture.attributes("out").kind == .symlink)
        let directory = try fixture.node("d")
        // A directory that became a symbolic link since its lookup.
        shell("rmdir \(fixture.lower())/d; ln -s /etc \(fixture.lower())/d")
        let error = fixture.lookupError(directory, "passwd")
        #expect(error == .noSuchFileOrDirectory)
    }

    @Test func longNamesAndDeepPaths() throws {
        let fixture = try Fixture()
        let long = String(repeating: "n", count: 255)
        var path = ""
        for _ in 0..<40 {
            path += "/" + long
            try fixture.mkdir(path)
        }
        try fixture.create(path + "/end", text: "deep")
        #expect(try fixture.read(path + "/end") == "deep")
        let error = fixture.error { () throws(Errno) in _ = try fixture.node(long + "x") }
        #expect(error == .fileNameTooLong)
    }

    @Test func changesUnderneathShowAtOnce() throws {
        let fixture = try Fixture(before: { shell("mkdir \($0)/lower1/d; echo 1 > \($0)/lower1/d/f") })
        let directory = try fixture.node("d")
        shell("echo > \(fixture.lower())/d/new; mkdir \(fixture.upper)/d; echo > \(fixture.upper)/d/over")
        for name in ["new", "over", "f"] as [PathRef] {
            #expect(throws: Never.self) { _ = try fixture.union.lookup(directory, name, root) }
        }
        shell("rm -r \(fixture.upper)/d \(fixture.lower())/d")
        let error = fixture.lookupError(directory, "f", isKnown: true)
        #expect(error == .noSuchFileOrDirectory)
    }

    @Test func aRemovedAndRemadeDirectoryIsAnother() throws {
        let fixture = try Fixture(before: { shell("mkdir \($0)/lower1/d; echo 1 > \($0)/lower1/d/f") })
        let before = try fixture.node("d")
        shell(
            "mv \(fixture.lower())/d \(fixture.lower())/e; mkdir \(fixture.lower())/d; echo > \(fixture.lower())/d/f"
        )
        let error = fixture.lookupError(before, "f")
        #expect(error == .noSuchFileOrDirectory)
        #expect(try fixture.node("d") != before)
        #expect(try fixture.node("e") == before)
    }

    /// The kernel takes ESTALE for "no more" where it but checks a name that it knows, and walks anew only upon the next:
    /// ENOENT would reach a caller whose path was there all the time.
    @Test func staleUntilTheKernelWalksAnew() throws {
        let fixture = try Fixture(before: { shell("mkdir \($0)/lower1/d; touch \($0)/lower1/d/f") })
        let directory = try fixture.node("d")
        _ = try fixture.node("d/f")
        let look = { (name: PathRef) in
            fixture.error { () throws(Errno) in _ = try fixture.union.lookup(directory, name, root) }
        }
        shell("cd \(fixture.lower()); mv d e; mkdir d")
        #expect(
            [look("f"), look("f"), look("f")] == [
                .staleNFSFileHandle, .staleNFSFileHandle, .noSuchFileOrDirectory,
            ])
        // It has found its directory meanwhile: what was said before no longer counts.
        shell("cd \(fixture.lower()); rmdir d; mv e d")
        #expect(look("f") == nil)
        shell("cd \(fixture.lower()); mv d e; mkdir d")
        #expect([look("g"), look("g")] == [.staleNFSFileHandle, .noSuchFileOrDirectory])
    }
}
