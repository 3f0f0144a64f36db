import LinuxSystem
import SystemPackage
import Testing
import UnionCore

@Suite struct CreationTests {
    @Test(.enabled(if: isRoot, "changing owners needs root"))
    func newFilesGoToTheUpperBelowASkeleton() throws {
        let fixture = try Fixture(before: {
            shell("cd \($0)/lower1; mkdir -p A/B; chown 7:8 A; chmod 2750 A; touch -d 2001-01-01 A")
        })
        let before = try fixture.attributes("A")
        try fixture.create("A/B/file", text: "new")
        let after = try fixture.attributes("A")
        #expect(before.inode == after.inode)
        #expect(before.mode == after.mode && before.uid == after.uid && before.gid == after.gid)
        #expect(before.linkCount == after.linkCount)
        #expect(before.modificationTime == after.modificationTime)
        #expect(before.changeTime == after.changeTime)
        #expect(shell("test -f \(fixture.upper)/A/B/file -a ! -e \(fixture.lower())/A/B/file") == 0)
        #expect(shell("test $(stat -c %a:%u:%g \(fixture.upper)/A) = 2750:7:8") == 0)
        #expect(try fixture.listing("")["A"] == after.inode)
    }

    @Test func mkdirInASkeletonCountsAsALink() throws {
        let fixture = try Fixture(before: { shell("mkdir -p \($0)/lower1/A/B") })
        let before = try fixture.attributes("A").linkCount
        try fixture.mkdir("A/C")
        #expect(try fixture.attributes("A").linkCount == before + 1)
    }

    @Test func createLowerAndFallback() throws {
        let lower = try Fixture(policies: { $0.create = .lower })
        try lower.create("f")
        #expect(shell("test -f \(lower.lower())/f") == 0)
        let fallback = try Fixture(readOnly: [1], policies: { $0.create = .fallback })
        try fallback.create("f")
        #expect(shell("test -f \(fallback.upper)/f") == 0)
    }

    /// Somebody was faster than a client's open(2) with O_CREAT.
    @Test func creatingWhatIsThereByNow() throws {
        let fixture = try Fixture(before: { shell("cd \($0)/lower1; touch f; ln -s f s; mkfifo p; mkdir d") })
        let flags = OpenFlags.readWrite.union(.create).rawValue
        for name in ["s", "p", "d"] as [PathRef] {
            let error = fixture.error { () throws(Errno) in
                _ = try fixture.union.create(.root, name, mode: 0o644, flags: flags, root)
            }
            #expect(error == .staleNFSFileHandle, "\(name.string)")
        }
        let (entry, file) = try fixture.union.create(.root, "f", mode: 0o644, flags: flags, root)
        fixture.union.release(file.handle)
        fixture.union.forget(entry.node, count: 1)
    }

    @Test func withoutAnUpperNothingIsMade() throws {
        let fixture = try Fixture(upper: false)
        #expect(fixture.error { () throws(Errno) in try fixture.create("f") } == .readOnlyFileSystem)
    }

    @Test func writingToALowerFileWritesTheLowerFile() throws {
        let fixture = try Fixture(before: { shell("echo old > \($0)/lower1/f") })
        let reader = try fixture.union.open(fixture.node("f"), flags: 0, root)
        let writer = try fixture.union.open(fixture.node("f"), flags: OpenFlags.writeOnly.rawValue, root)
        try fixture.write(writer.handle, "new")
        #expect(try fixture.read("f") == "new\n")
        #expect(shell("test $(cat \(fixture.lower())/f) = new; test -z \"$(ls \(fixture.upper))\"") == 0)
        fixture.union.release(reader.handle)
        fixture.union.release(writer.handle)
    }

    @Test func readOnlyLayersRefuse() throws {
        let fixture = try Fixture(readOnly: [1], before: { shell("echo > \($0)/lower1/f") })
        let node = try fixture.node("f")
        let error = fixture.error { () throws(Errno) in
            _ = try fixture.union.open(node, flags: OpenFlags.readWrite.rawValue, root)
        }
        #expect(error == .readOnlyFileSystem)
        var changes = AttributeChanges()
        changes.mode = 0o600
        let chmod = fixture.error { () throws(Errno) in
            _ = try fixture.union.setAttributes(of: node, handle: nil, changes, root)
        }
        #expect(chmod == .readOnlyFileSystem)
    }
}

@Suite struct RemovalTests {
    @Test func unlinkRemovesEveryLayersFile() throws {
        let fixture = try Fixture(
            lowers: 2, before: { shell("for l in upper lower1 lower2; do echo > \($0)/$l/f; done") })
        try fixture.unlink("f")
        #expect(!fixture.exists("f"))
        #expect(shell("! ls \(fixture.upper)/f \(fixture.lower(1))/f \(fixture.lower(2))/f 2>/dev/null") == 0)
    }

    @Test func unlinkCoversWhatIsReadOnly() throws {
        let fixture = try Fixture(
            readOnly: [1], before: { shell("mkdir \($0)/lower1/d; echo > \($0)/lower1/d/f") })
        try fixture.unlink("d/f")
        #expect(!fixture.exists("d/f"))
        #expect(try fixture.names("d").isEmpty)
        #expect(shell("test -c \(fixture.upper)/d/f -a -f \(fixture.lower())/d/f") == 0)
        try fixture.create("d/f", text: "again")
        #expect(try fixture.read("d/f") == "again")
        try fixture.unlink("d/f")
        #expect(!fixture.exists("d/f"))
    }

    @Test func unlinkNeverRemovesAHiddenDirectory() throws {
        let prepare = { (base: String) in
            _ = shell("cd \(base); echo > upper/n; mkdir lower1/n; echo > lower1/n/in")
        }
        let fixture = try Fixture(before: prepare)
        try fixture.unlink("n")
        #expect(!fixture.exists("n"))
        #expect(shell("test -f \(fixture.lower())/n/in") == 0)
        let strict = try Fixture(policies: { $0.whiteout = .off }, before: prepare)
        #expect(strict.error { () throws(Errno) in try strict.unlink("n") } == .resourceBusy)
        #expect(try strict.attributes("n").kind == .regular)
    }

    @Test func rmdirAsksTheUnion() throws {
        let fixture = try Fixture(before: {
            shell("cd \($0); mkdir -p upper/d lower1/d lower1/e; echo > lower1/d/f")
        })
        #expect(fixture.error { () throws(Errno) in try fixture.rmdir("d") } == .directoryNotEmpty)
        try fixture.unlink("d/f")
        try fixture.rmdir("d")
        try fixture.rmdir("e")
        #expect(try fixture.names("").isEmpty)
    }

    @Test func rmdirOfADirectoryFullOfWhiteouts() throws {
        let fixture = try Fixture(
            readOnly: [1], before: { shell("cd \($0); mkdir lower1/d; echo > lower1/d/f") })
        try fixture.unlink("d/f")
        try fixture.rmdir("d")
        #expect(!fixture.exists("d"))
        #expect(shell("test -c \(fixture.upper)/d") == 0)
        try fixture.mkdir("d")
        #expect(try fixture.names("d").isEmpty)
        #expect(!fixture.exists("d/f"))
    }

    @Test func whatIsOpenLivesOn() throws {
        let fixture = try Fixture(before: { shell("echo text > \($0)/lower1/f") })
        let node = try fixture.node("f")
        let file = try fixture.union.open(node, flags: 0, root)
        try fixture.unlink("f")
        #expect(try fixture.union.attributes(of: node, handle: nil).0.linkCount == 0)
        fixture.union.release(file.handle)
    }

    @Test func anUnlinkedNodeCanStillBeAsked() throws {
        let fixture = try Fixture(before: { shell("echo text > \($0)/lower1/f") })
        let node = try fixture.node("f")
        try fixture.unlink("f")
        #expect(try fixture.union.attributes(of: node, handle: nil).0.linkCount == 0)
    }
}

@Suite struct RenameTests {
    @Test func aFileMovesWithinItsLayer() throws {
        let fixture = try Fixture(before: { shell("cd \($0); mkdir lower1/a lower1/b; echo x > lower1/a/f") })
        let node = try fixture.node("a/f")
        try fixture.rename("a/f", "b/g")
        #expect(try fixture.node("b/g") == node)
        #expect(shell("test -f \(fixture.lower())/b/g") == 0)
        #expect(!fixture.exists("a/f"))
    }

    @Test func anUpperFileMovesBelowANewSkeleton() throws {
        let fixture = try Fixture(before: { shell("cd \($0); mkdir lower1/b; echo x > upper/f") })
        try fixture.rename("f", "b/g")
        #expect(shell("test -f \(fixture.upper)/b/g") == 0)
    }

    @Test func aLowerFileCannotFollowIntoTheUpper() throws {
        let fixture = try Fixture(before: { shell("cd \($0); mkdir upper/b; echo x > lower1/f") })
        #expect(fixture.error { () throws(Errno) in try fixture.rename("f", "b/g") } == .improperLink)
    }

    @Test func aMergedDirectoryMovesInEachLayer() throws {
        let fixture = try Fixture(before: {
            shell("cd \($0); mkdir upper/d lower1/d; touch upper/d/u lower1/d/l")
        })
        try fixture.rename("d", "e")
        #expect(try fixture.names("e") == ["l", "u"])
        #expect(
            shell("cd \(fixture.base); test -f upper/e/u -a -f lower1/e/l -a ! -e upper/d -a ! -e lower1/d")
                == 0)
        #expect(shell("cd \(fixture.base)/work; ls switchfs | grep .") == 1)
    }

    /// Before a record is whole nothing moves.
    @Test func aTornRecordOfARenameIsDropped() throws {
        let fixture = try Fixture(before: {
            shell(
                """
                cd \($0); mkdir -p upper/d lower1/d work/switchfs; touch work/switchfs/orphans
                printf 'switchfs-rename 1\\nfrom\\td\\nto\\te\\npart\\t2%%20x%%20n%%20y\\n' > work/switchfs/rename-1-1
                """)
        })
        #expect(
            shell("cd \(fixture.base); test ! -e work/switchfs/rename-1-1 -a -d upper/d -a -d lower1/d") == 0)
        #expect(try fixture.names("") == ["d"])
    }

    @Test func aMergedDirectoryWithoutAPlaceForRecordsDoesNotMove() throws {
        let fixture = try Fixture(
            lowers: 2, upper: false, before: { shell("mkdir \($0)/lower1/d \($0)/lower2/d") })
        #expect(fixture.error { () throws(Errno) in try fixture.rename("d", "e") } == .improperLink)
        #expect(try fixture.names("") == ["d"])
    }

    @Test func overATargetInAHigherLayer() throws {
        let fixture = try Fixture(before: { shell("cd \($0); echo low > lower1/f; echo up > upper/g") })
        try fixture.rename("f", "g")
        #expect(try fixture.read("g") == "low\n")
        #expect(try fixture.names("") == ["g"])
        #expect(shell("test ! -e \(fixture.upper)/g") == 0)
    }

    @Test func overATargetInALowerLayerHidesIt() throws {
        let fixture = try Fixture(before: { shell("cd \($0); echo up > upper/f; echo low > lower1/g") })
        try fixture.rename("f", "g")
        #expect(try fixture.read("g") == "up\n")
        #expect(shell("test $(cat \(fixture.lower())/g) = low") == 0)
    }

    @Test func whatLayHiddenUnderTheOldNameDoesNotShow() throws {
        let fixture = try Fixture(
            lowers: 2, readOnly: [2],
            before: { shell("cd \($0); echo up > upper/f; echo low > lower1/f; echo ro > lower2/f") })
        try fixture.rename("f", "g")
        #expect(!fixture.exists("f"))
        #expect(try fixture.read("g") == "up\n")
    }

    @Test func aDirectoryMovedOverALowerOneIsComplete() throws {
        let fixture = try Fixture(
            readOnly: [1],
            before: { shell("cd \($0); mkdir upper/d lower1/e; echo > upper/d/own; echo > lower1/e/old") })
        try fixture.unlink("e/old")
        try fixture.rmdir("e")
        try fixture.rename("d", "e")
        #expect(try fixture.names("e") == ["own"])
        #expect(!fixture.exists("e/old"))
    }

    @Test func overAnEmptyDirectoryOnly() throws {
        let fixture = try Fixture(before: {
            shell("cd \($0); mkdir upper/d upper/full lower1/full upper/void; echo > lower1/full/f")
        })
        #expect(fixture.error { () throws(Errno) in try fixture.rename("d", "full") } == .directoryNotEmpty)
        try fixture.rename("d", "void")
        #expect(try fixture.names("") == ["full", "void"])
    }

    @Test func noReplaceAndExchange() throws {
        let fixture = try Fixture(before: {
            shell("cd \($0); echo a > upper/a; echo b > upper/b; echo c > lower1/c")
        })
        #expect(fixture.error { () throws(Errno) in try fixture.rename("a", "c", flags: 1) } == .fileExists)
        try fixture.rename("a", "b", flags: 2)
        #expect(try fixture.read("a") == "b\n")
        #expect(try fixture.read("b") == "a\n")
        #expect(fixture.error { () throws(Errno) in try fixture.rename("a", "c", flags: 2) } == .improperLink)
    }
}

@Suite struct LinkTests {
    @Test func twoNamesAreOneNode() throws {
        let fixture = try Fixture(before: { shell("cd \($0); mkdir lower1/d; echo x > lower1/f") })
        try fixture.link("f", "d/g")
        #expect(try fixture.node("f") == fixture.node("d/g"))
        let node = try fixture.node("f")
        #expect(try fixture.attributes("f").linkCount == 2)
        try fixture.unlink("d/g")
        #expect(try fixture.union.attributes(of: node, handle: nil).0.linkCount == 1)
        try fixture.link("f", "h")
        try fixture.unlink("f")
        #expect(try fixture.union.attributes(of: node, handle: nil).0.linkCount == 1)
    }

    @Test func acrossLayersIsRefused() throws {
        let fixture = try Fixture(before: { shell("cd \($0); mkdir upper/d; echo x > lower1/f") })
        #expect(fixture.error { () throws(Errno) in try fixture.link("f", "d/g") } == .improperLink)
    }
}

@Suite struct EmptyOrphanTests {
    @Test func theNameOfAnEmptyOrphanIsFree() throws {
        let fixture = try Fixture(before: { shell("mkdir \($0)/lower1/a \($0)/lower1/b") })
        try fixture.create("a/n")
        try fixture.create("b/n")
        shell("rmdir \(fixture.lower())/a \(fixture.lower())/b")
        try fixture.unlink("a/n")
        try fixture.unlink("b/n")
        #expect(!fixture.exists("a"))
        #expect(try fixture.names("").isEmpty)
        try fixture.mkdir("a")
        try fixture.create("b", text: "file")
        #expect(try fixture.names("") == ["a", "b"])
        #expect(shell("test -z \"$(ls \(fixture.work)/switchfs)\"") == 0)
    }
}
