import LinuxSystem
import SystemPackage
import Testing

@Suite("Entries of directories")
struct EntryTests {
    @Test func makesEveryKind() throws {
        let directory = try TestDirectory()
        let root = directory.root
        try root.makeNode(at: "fifo", mode: FileKind.fifo.modeBits | 0o600)
        try root.makeNode(at: "socket", mode: FileKind.socket.modeBits | 0o600)
        try root.makeNode(at: "file", mode: FileKind.regular.modeBits | 0o600)
        try root.makeDirectory(at: "directory", mode: 0o700)
        try root.makeSymlink(at: "link", target: "nowhere/at all")
        #expect(try root.status(at: "fifo").kind == .fifo)
        #expect(try root.status(at: "socket").kind == .socket)
        #expect(try root.status(at: "file").kind == .regular)
        #expect(try root.status(at: "directory").kind == .directory)
        #expect(try root.status(at: "link").kind == .symlink)
        #expect(throws: Errno.fileExists) { try root.makeDirectory(at: "link", mode: 0o700) }
    }

    @Test(.enabled(if: isRoot, "device nodes need root")) func makesDevices() throws {
        let directory = try TestDirectory()
        let number = DeviceNumber.make(major: 0x1fe, minor: 0x12345)
        let root = directory.root
        try orSkip([.notPermitted], "no CAP_MKNOD") { () throws(Errno) in
            try root.makeNode(at: "device", mode: FileKind.blockDevice.modeBits | 0o600, device: number)
            try root.makeNode(at: "whiteout", mode: FileKind.characterDevice.modeBits)
        }
        let status = try directory.root.status(at: "device")
        #expect(status.specialDevice == number)
        #expect(status.specialMajor == 0x1fe && status.specialMinor == 0x12345)
        #expect(try directory.root.status(at: "whiteout").isWhiteoutDevice)
        #expect(!status.isWhiteoutDevice)
    }

    @Test func readsLinksByNameAndObject() throws {
        let directory = try TestDirectory()
        try directory.root.makeSymlink(at: "link", target: "nowhere/at all")
        let link = try directory.root.openBeneath("link", flags: [.path, .noFollow])
        var buffer = [UInt8](repeating: 0, count: 64)
        var counts = [Int]()
        try unsafe buffer.withUnsafeMutableBytes { bytes in
            counts.append(try unsafe directory.root.readLink(at: "link", into: bytes))
            counts.append(try unsafe link.descriptor.readLink(into: bytes))
        }
        #expect(counts == [14, 14])
        #expect(String(decoding: buffer[..<14], as: UTF8.self) == "nowhere/at all")
    }

    @Test func renamesWithFlags() throws {
        let directory = try TestDirectory()
        let root = directory.root
        try directory.write("one", to: "a")
        try directory.write("two", to: "b")
        #expect(throws: Errno.fileExists) {
            try FileDescriptor.rename(from: root, "a", to: root, "b", flags: .noReplace)
        }
        try FileDescriptor.rename(from: root, "a", to: root, "b", flags: .exchange)
        #expect(try directory.read("a") == "two")
        try FileDescriptor.rename(from: root, "a", to: root, "b")
        #expect(try directory.read("b") == "two")
        #expect(try !root.exists(at: "a"))
    }

    @Test func linksObjects() throws {
        let directory = try TestDirectory()
        let root = directory.root
        let file = try root.openBeneath("", flags: [.readWrite, .temporaryFile], mode: 0o600)
        #expect(try file.descriptor.status().linkCount == 0)
        try file.descriptor.link(to: root, name: "named")
        let object = try root.openBeneath("named", flags: .path)
        try object.descriptor.link(to: root, name: "second")
        #expect(try root.status(at: "second").linkCount == 2)
        try root.makeSymlink(at: "link", target: "named")
        let link = try root.openBeneath("link", flags: [.path, .noFollow])
        try link.descriptor.link(to: root, name: "another link")
        #expect(try root.status(at: "another link").isSymlink)
    }

    @Test func removes() throws {
        let directory = try TestDirectory()
        try directory.root.makeDirectory(at: "directory", mode: 0o755)
        try directory.write("", to: "directory/file")
        #expect(throws: Errno.directoryNotEmpty) { try directory.root.removeDirectory(at: "directory") }
        #expect(throws: Errno.isDirectory) { try directory.root.unlink(at: "directory") }
        let inner = try directory.root.openBeneath("directory", flags: [.path, .directory])
        try inner.descriptor.unlink(at: "file")
        try directory.root.removeDirectory(at: "directory")
        #expect(throws: Errno.noSuchFileOrDirectory) { try directory.root.unlink(at: "directory") }
    }

    @Test func streamsAndSeeks() throws {
        let directory = try TestDirectory()
        try directory.fill(300)
        let reader = try directory.root.openBeneath("", flags: [.readOnly, .directory])
        var stream = DirectoryStream(reading: reader.descriptor, bufferSize: 1024)
        var order = [String]()
        var cookies = [Int64]()
        while let entry = try stream.next() {
            order.append(entry.name.string)
            cookies.append(entry.nextOffset)
            #expect(entry.kind == nil || entry.kind == (entry.name.isDots ? .directory : .regular))
            if order.count == 5 {
                #expect(try directory.root.status(at: entry.name).inode == entry.inode)
            }
        }
        #expect(Set(order).count == 302 && order.count == 302)
        #expect(stream.position == cookies.last)
        for index in [150, 0, 299, 20] {
            try stream.seek(to: cookies[index])
            #expect(try stream.next()?.name.string == order[index + 1])
        }
        try stream.seek(to: 0)
        #expect(try stream.next()?.name.string == order[0])
    }

    @Test func readsAhead() throws {
        let directory = try TestDirectory()
        try directory.fill(300)
        let reader = try directory.root.openBeneath("", flags: [.readOnly, .directory])
        var stream = DirectoryStream(reading: reader.descriptor, bufferSize: 1024, ahead: 4096)
        var names = Set<String>()
        var count = 0
        while let entry = try stream.next() {
            names.insert(entry.name.string)
            count += 1
            let name = entry.name.string
            if count % 3 == 0 {
                stream.unread()
                if count % 2 == 0 { stream.readAhead() }
                #expect(try stream.next()?.name.string == name)
            }
            if count % 7 == 0 { stream.readAhead() }
        }
        #expect(names.count == 302 && count == 302)
    }
}

extension TestDirectory {
    /// Makes files whose names are long enough to need several buffers.
    fileprivate func fill(_ count: Int) throws(Errno) {
        for index in 0..<count {
            let name = OwnedName("entry with a rather long name \(index)")
            try root.makeNode(at: name.ref, mode: FileKind.regular.modeBits | 0o600)
        }
    }
}
