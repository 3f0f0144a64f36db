import CTestCalls
import LinuxSystem
import Synchronization
import SystemPackage
import Testing

@Suite("Attributes")
struct AttributeTests {
    @Test func tellsAllOfAFile() throws {
        let directory = try TestDirectory()
        try directory.write("12345", to: "file", mode: 0o640)
        let status = try directory.root.status(at: "file")
        #expect(status.size == 5 && status.linkCount == 1 && status.permissions == 0o640)
        #expect(status.isRegular && !status.isDirectory && !status.isSymlink)
        #expect(status.device == (try directory.root.status().device))
        #expect(DeviceNumber.make(major: status.deviceMajor, minor: status.deviceMinor) == status.device)
        #expect(status.mask.contains(.basic))
        #expect(status.modified >= status.born && status.modified.seconds > 1_600_000_000)
        #expect(status.blockSize > 0 && status.inode > 0)
        #expect(try directory.root.exists(at: "file"))
        #expect(try !directory.root.exists(at: "none"))
        #expect(throws: Errno.noSuchFileOrDirectory) { _ = try directory.root.status(at: "none") }
        let filesystem = try directory.root.fileSystem()
        #expect(filesystem.nameLength >= 14 && filesystem.blocks >= filesystem.blocksFree)
        let proc = try FileDescriptor.workingDirectory.openPlain("/proc", flags: .path)
        #expect(try proc.descriptor.fileSystem().type == .proc)
    }

    @Test func changesModeOfObjects() throws {
        let directory = try TestDirectory()
        try directory.write("", to: "file")
        try directory.root.makeSymlink(at: "link", target: "file")
        let object = try directory.root.openBeneath("file", flags: .path)
        try object.descriptor.changeMode(0o4711)
        #expect(try object.descriptor.status().permissions == 0o4711)
        let link = try directory.root.openBeneath("link", flags: [.path, .noFollow])
        #expect(throws: Errno.notSupported) { try link.descriptor.changeMode(0o600) }
        #expect(try object.descriptor.status().permissions == 0o4711)
    }

    @Test(.enabled(if: isRoot, "changing owners needs root")) func changesOwnerOfObjects() throws {
        let directory = try TestDirectory()
        try directory.root.makeSymlink(at: "link", target: "none")
        let link = try directory.root.openBeneath("link", flags: [.path, .noFollow])
        try link.descriptor.changeOwner(uid: 1234, gid: nil)
        #expect(try link.descriptor.status().uid == 1234)
        try link.descriptor.changeOwner(uid: nil, gid: 4321)
        let status = try link.descriptor.status()
        #expect(status.uid == 1234 && status.gid == 4321)
    }

    @Test func changesTimesOfObjects() throws {
        let directory = try TestDirectory()
        try directory.root.makeSymlink(at: "link", target: "none")
        let link = try directory.root.openBeneath("link", flags: [.path, .noFollow])
        let (early, late) = (
            Timestamp(seconds: -5, nanoseconds: 7), Timestamp(seconds: 1_000_000_000, nanoseconds: 9)
        )
        try link.descriptor.changeTimes(access: .set(late), modification: .set(early))
        try link.descriptor.changeTimes(access: .omit, modification: .omit)
        var status = try link.descriptor.status()
        #expect(status.accessed == late && status.modified == early && early < late)
        try link.descriptor.changeTimes(access: .now, modification: .omit)
        status = try link.descriptor.status()
        #expect(status.accessed > late && status.modified == early)
    }

    @Test func truncates() throws {
        let directory = try TestDirectory()
        try directory.write("12345", to: "file")
        let object = try directory.root.openBeneath("file", flags: .path)
        try object.descriptor.truncatePath(to: 2)
        #expect(try directory.read("file") == "12")
        let file = try object.descriptor.reopen(flags: .writeOnly)
        try file.descriptor.truncate(to: 4096)
        #expect(try object.descriptor.status().size == 4096)
        #expect(throws: Errno.invalidArgument) { try file.descriptor.truncate(to: -1) }
    }

    @Test func checksAccess() throws {
        let directory = try TestDirectory()
        try directory.write("", to: "file", mode: 0o600)
        let object = try directory.root.openBeneath("file", flags: .path)
        try object.descriptor.checkAccess([.read, .write])
        try object.descriptor.checkAccess([])
        #expect(throws: Errno.permissionDenied) { try object.descriptor.checkAccess(.execute) }
    }

    @Test func keepsExtendedAttributes() throws {
        let directory = try TestDirectory()
        try directory.write("", to: "file")
        try directory.root.makeSymlink(at: "link", target: "file")
        let object = try directory.root.openBeneath("file", flags: .path)
        let value: PathRef = "the value"
        let descriptor = object.descriptor
        try orSkip([.notSupported], "no user attributes here") { () throws(Errno) in
            try unsafe descriptor.setXattr("user.test", value: value.bytes)
        }
        #expect(throws: Errno.fileExists) {
            try unsafe object.descriptor.setXattr("user.test", value: value.bytes, flags: .create)
        }
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 256, alignment: 1)
        defer { unsafe buffer.deallocate() }
        let none = unsafe UnsafeMutableRawBufferPointer(start: nil, count: 0)
        let root = directory.root
        #expect(try unsafe object.descriptor.getXattr("user.test", into: none) == 9)
        #expect(try unsafe root.getXattr(at: "file", "user.test", into: buffer) == 9)
        #expect(unsafe String(decoding: buffer[..<9], as: UTF8.self) == "the value")
        #expect(try unsafe root.listXattrs(at: "file", into: buffer) >= 10)
        #expect(throws: Errno.noData) { _ = try unsafe root.getXattr(at: "link", "user.test", into: none) }
        try object.descriptor.removeXattr("user.test")
        #expect(throws: Errno.noData) { _ = try unsafe object.descriptor.getXattr("user.test", into: none) }
    }

    /// Old kernels don't have the calls for a name in a directory, and filters of containers don't know them.
    @Test func extendedAttributesWithoutTheNewCalls() throws {
        let directory = try TestDirectory()
        try directory.write("", to: "file")
        let root = directory.root
        let file = try root.openBeneath("file", flags: .path)
        try orSkip([.notSupported], "no user attributes here") { () throws(Errno) in
            try unsafe file.descriptor.setXattr("user.test", value: ("1" as PathRef).bytes)
        }
        let counts = Mutex<[Int]?>(nil)
        try WorkerThread.spawn(name: "filtered") {
            // All of the kind, from setxattrat on.
            guard tc_refuse_calls(463, 466, Errno.notPermitted.rawValue) == 0 else { return }
            let value: PathRef = "the value"
            let none = unsafe UnsafeMutableRawBufferPointer(start: nil, count: 0)
            try? unsafe root.setXattr(at: "file", "user.other", value: value.bytes)
            let size = (try? unsafe root.getXattr(at: "file", "user.other", into: none)) ?? -1
            let both = (try? unsafe root.listXattrs(at: "file", into: none)) ?? -1
            try? root.removeXattr(at: "file", "user.other")
            let one = (try? unsafe root.listXattrs(at: "file", into: none)) ?? -1
            counts.withLock { $0 = [size, both - one] }
        }.join()
        let found = try orSkip(counts.withLock { $0 }, "no filter of system calls can be had here")
        #expect(found == [9, "user.other".utf8.count + 1])
    }

    @Test(.enabled(if: isRoot, "trusted attributes need root")) func keepsAttributesOfLinks() throws {
        let directory = try TestDirectory()
        try directory.root.makeSymlink(at: "link", target: "none")
        let link = try directory.root.openBeneath("link", flags: [.path, .noFollow])
        let value: PathRef = "x"
        let descriptor = link.descriptor
        try orSkip([.notSupported, .notPermitted], "no trusted attributes here") { () throws(Errno) in
            try unsafe descriptor.setXattr("trusted.test", value: value.bytes)
        }
        let none = unsafe UnsafeMutableRawBufferPointer(start: nil, count: 0)
        #expect(try unsafe directory.root.getXattr(at: "link", "trusted.test", into: none) == 1)
        #expect(try unsafe link.descriptor.getXattr("trusted.test", into: none) == 1)
        try directory.root.removeXattr(at: "link", "trusted.test")
    }
}
