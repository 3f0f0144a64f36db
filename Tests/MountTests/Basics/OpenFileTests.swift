import Glibc
import SwitchTestKit
import SystemPackage
import Testing

/// What an open file goes on doing, and what the calls on it do.
@Suite(.enabled(if: Machine.canMount, "needs root and /dev/fuse"))
struct OpenFileTests {
    @Test(arguments: [true, false])
    func worksAfterUnlink(inLower: Bool) throws {
        let tree: Tree = ["f": "content"]
        try withUnion(lower: inLower ? tree : [:], upper: inLower ? [:] : tree) { union throws in
            let file = try Sys.open(union["f"], O_RDWR)
            try Sys.unlink(union["f"])
            #expect(try file.facts().links == 0)
            #expect(try file.facts().size == 7)
            try file.truncate(to: 3)
            try file.changeMode(0o600)
            try file.changeOwner(uid: 5, gid: 6)
            try file.changeTimes(modified: 1_000_000_007)
            let facts = try file.facts()
            #expect(facts.size == 3 && facts.permissions == 0o600 && facts.uid == 5)
            #expect(facts.modified == 1_000_000_007)
            try file.write(Array("new".utf8), at: 1)
            #expect(try file.read(10, at: 0) == Array("cnew".utf8))
            try Sys.put(union["f"], "another")
            #expect(try file.read(10, at: 0) == Array("cnew".utf8))
            #expect(try Sys.text(union["f"]) == "another")
        }
    }

    @Test func worksAfterRenameAndOverwrite() throws {
        try withUnion(lower: ["f": "f", "g": "g"]) { union throws in
            let (f, g) = (try Sys.open(union["f"], O_RDWR), try Sys.open(union["g"], O_RDWR))
            try Sys.rename(union["f"], union["g"])
            #expect(try f.read(1, at: 0) == Array("f".utf8))
            #expect(try g.read(1, at: 0) == Array("g".utf8))
            #expect(try g.facts().links == 0)
            #expect(try f.facts().links == 1)
            try f.write("F")
            #expect(try Sys.text(union["g"]) == "F")
        }
    }

    @Test func manyHandlesOfOneFileWithDifferentFlags() throws {
        try withUnion(lower: ["f": .bytes([UInt8](repeating: 1, count: 8192))]) { union throws in
            let flags = [
                O_RDONLY, O_WRONLY, O_RDWR, O_RDWR | O_APPEND, O_RDONLY | O_NONBLOCK, O_RDWR | O_SYNC,
            ]
            var handles: [Handle] = []
            for flag in flags + flags.reversed() { handles.append(try Sys.open(union["f"], flag)) }
            #expect(try Set(handles.map { try $0.facts().inode }).count == 1)
            try handles[1].write([9], at: 100)
            #expect(try handles[0].read(1, at: 100) == [9])
            try handles[3].write([8])
            #expect(try handles[4].read(1, at: 8192) == [8])
            #expect(failure { try handles[0].write([1], at: 0) } == .badFileDescriptor)
            #expect(failure { _ = try handles[1].read(1, at: 0) } == .badFileDescriptor)
        }
    }

    @Test func directIO() throws {
        try withUnion { union throws in
            // Aligned memory: a mapping of another file.
            try Sys.fill(union.inLower("f"), count: 65536, with: 5)
            let error = failure { _ = try Sys.open(union.inLower("f"), O_RDWR | Flag.direct) }
            #expect(failure { _ = try Sys.open(union["f"], O_RDWR | Flag.direct) } == error)
            try run(
                "dd", "if=\(union["f"])", "of=\(union["g"])", "bs=4096", "iflag=direct", "oflag=direct"
            ).orThrow()
            #expect(try Sys.contents(union["g"]) == [UInt8](repeating: 5, count: 65536))
        }
    }

    @Test func dataAndHoles() throws {
        try withUnion { union throws in
            let native = try Sys.open(union.inLower("f"), O_RDWR | O_CREAT)
            try native.write([UInt8](repeating: 1, count: 4096), at: 1 << 20)
            try native.truncate(to: 4 << 20)
            let file = try Sys.open(union["f"], O_RDWR)
            for (offset, whence) in [
                (0, Flag.seekData), (0, Flag.seekHole), (1 << 20, Flag.seekHole), (1 << 20, Flag.seekData),
                (0, SEEK_END),
            ] as [(Int64, Int32)] {
                #expect(try file.seek(offset, whence) == native.seek(offset, whence))
            }
            #expect(failure { try file.seek(2 << 20, Flag.seekData) } == .noSuchAddressOrDevice)
            #expect(failure { try file.seek(8 << 20, Flag.seekHole) } == .noSuchAddressOrDevice)
        }
    }

    @Test func allocation() throws {
        try withUnion(lower: ["f": .bytes([UInt8](repeating: 3, count: 16384))]) { union throws in
            let file = try Sys.open(union["f"], O_RDWR)
            try file.allocate(offset: 0, length: 65536)
            #expect(try file.facts().size == 65536)
            try file.allocate(Flag.keepSize, offset: 65536, length: 65536)
            #expect(try file.facts().size == 65536)
            #expect(try file.facts().blocks == Sys.facts(union.inLower("f")).blocks)
            try file.allocate(Flag.punchHole | Flag.keepSize, offset: 4096, length: 4096)
            #expect(try file.read(4096, at: 4096) == [UInt8](repeating: 0, count: 4096))
            #expect(try file.read(1, at: 8192) == [3])
            // As the layer's own file system has it: not all can do this.
            let native = try Sys.open(union.inLower("f"), O_RDWR)
            let wanted = failure { try native.allocate(Flag.zeroRange, offset: 12288, length: 4096) }
            #expect(failure { try file.allocate(Flag.zeroRange, offset: 8192, length: 4096) } == wanted)
            #expect(failure { try file.allocate(offset: 0, length: 0) } == .invalidArgument)
            #expect(
                failure { try Sys.open(union["f"]).allocate(offset: 0, length: 1) } == .badFileDescriptor)
        }
    }

    @Test func copiesBetweenLayers() throws {
        try withUnion(lower: ["l": .bytes((0..<20000).map { UInt8($0 % 251) })]) { union throws in
            let (from, to) = (try Sys.open(union["l"], O_RDWR), try Sys.open(union["u"], O_RDWR | O_CREAT))
            var done = 0
            while done < 20000 {
                let step = try from.copy(from: Int64(done), to: to, at: Int64(done), length: 20000 - done)
                #expect(step > 0)
                if step == 0 { break }
                done += step
            }
            #expect(try Sys.contents(union["u"]) == Sys.contents(union["l"]))
            try from.copy(from: 0, to: from, at: 10000, length: 5000)
            #expect(try from.read(5000, at: 10000) == from.read(5000, at: 0))
            let within = failure { try from.copy(from: 0, to: from, at: 10, length: 5000) }
            #expect(within == .invalidArgument)
        }
    }

    @Test func locksHoldBetweenOpenings() throws {
        try withUnion(lower: ["f": "x"]) { union throws in
            let (one, two) = (try Sys.open(union["f"], O_RDWR), try Sys.open(union["f"], O_RDWR))
            try one.lock(LOCK_EX)
            #expect(failure { try two.lock(LOCK_EX | LOCK_NB) } == .wouldBlock)
            try one.lock(LOCK_UN)
            try two.lock(LOCK_SH | LOCK_NB)
            try one.lock(LOCK_SH | LOCK_NB)
            try one.lockRange(Int32(F_WRLCK))
            #expect(failure { try two.lockRange(Int32(F_WRLCK)) } == .resourceTemporarilyUnavailable)
            try one.lockRange(Int32(F_UNLCK))
            try two.lockRange(Int32(F_WRLCK))
        }
    }

    @Test func unknownControlIsENOTTY() throws {
        try withUnion(lower: ["f": "x"]) { union throws in
            #expect(failure { _ = try Sys.open(union["f"]).control(0x5401) } == Errno(rawValue: ENOTTY))
        }
    }

    @Test func fifosWork() throws {
        try withUnion(lower: ["p": .fifo()]) { union throws in
            let path = union["p"]
            let reader = try Sys.open(path, O_RDONLY | O_NONBLOCK)
            try Sys.open(path, O_WRONLY).write("through")
            #expect(try reader.read() == Array("through".utf8))
        }
    }

    @Test func specialFilesOfLayersAreTheSame() throws {
        try withUnion(lower: ["zero": .character(1, 5), "disk": .block(7, 200)]) { union throws in
            let facts = try Sys.facts(union["zero"])
            #expect(facts.kind == .character)
            #expect(try facts.special == Sys.facts("/dev/zero").special)
            #expect(try Sys.facts(union["disk"]).special == Sys.facts(union.inLower("disk")).special)
            #expect(try Sys.open(union["zero"]).read(4) == [0, 0, 0, 0])
        }
    }

    @Test func executeOnlyFileRuns() throws {
        let program = try Sys.contents(TestPath(try #require(Machine.program("true"))))
        try withUnion { union throws in
            try TreeNode.bytes(program).build(at: union.inLower("prog"))
            try Sys.changeMode(union.inLower("prog"), 0o711)
            #expect(try run(union["prog"].text, as: .alice).succeeded)
            #expect(
                failure { try acting(as: .alice) { _ = try Sys.open(union["prog"]) } } == .permissionDenied)
            try Sys.changeMode(union.inLower("prog"), 0o644)
            #expect(throws: (any Error).self) { try Child([union["prog"].text]) }
        }
    }

    @Test func writeOnlyFileCanBeWritten() throws {
        try withUnion(lower: ["f": .file("x", mode: 0o222)]) { union throws in
            try acting(as: .alice) { try Sys.overwrite(union["f"], "y") }
            #expect(try Sys.text(union["f"]) == "y")
            #expect(failure { try acting(as: .alice) { _ = try Sys.open(union["f"]) } } == .permissionDenied)
        }
    }
}
