import LinuxSystem
import SystemPackage
import Testing

@Suite("Data of files")
struct DataTests {
    @Test func readsAndWritesAtOffsets() throws {
        let directory = try TestDirectory()
        let file = try directory.root.openBeneath("file", flags: [.readWrite, .create], mode: 0o600)
        let text: PathRef = "0123456789"
        #expect(try unsafe file.descriptor.write(from: text.bytes, at: 5) == 10)
        var buffer = [UInt8](repeating: 0xff, count: 32)
        let count = try unsafe buffer.withUnsafeMutableBytes { bytes in
            try unsafe file.descriptor.read(into: bytes, at: 3)
        }
        #expect(count == 12 && buffer[0] == 0 && buffer[2] == 0x30 && buffer[11] == 0x39)
        try file.descriptor.synchronize(dataOnly: true)
        try file.descriptor.synchronize(dataOnly: false)
    }

    @Test func seeksAndAllocates() throws {
        let directory = try TestDirectory()
        let file = try directory.root.openBeneath("file", flags: [.readWrite, .create], mode: 0o600)
        try file.descriptor.truncate(to: 1 << 20)
        let text: PathRef = "data"
        _ = try unsafe file.descriptor.write(from: text.bytes, at: 512 << 10)
        #expect(try file.descriptor.seek(to: 0, whence: .end) == 1 << 20)
        let data = try file.descriptor.seek(to: 0, whence: .data)
        #expect(data == 512 << 10 || data == 0)
        #expect(throws: Errno.noSuchAddressOrDevice) {
            _ = try file.descriptor.seek(to: 1 << 20, whence: .data)
        }
        let descriptor = file.descriptor
        try orSkip([.notSupported], "no fallocate here") { () throws(Errno) in
            try descriptor.allocate(mode: 0, offset: 0, length: 2 << 20)
        }
        #expect(try descriptor.status().size == 2 << 20)
    }

    @Test func copiesRanges() throws {
        let directory = try TestDirectory()
        try directory.write("hello world", to: "from")
        let from = try directory.root.openBeneath("from", flags: .readOnly)
        let to = try directory.root.openBeneath("to", flags: [.writeOnly, .create], mode: 0o600)
        let count = try FileDescriptor.copyRange(
            from: from.descriptor, offset: 6, to: to.descriptor, offset: 2, length: 100)
        #expect(count == 5)
        #expect(try directory.read("to") == "\0\0world")
    }

    @Test func controls() throws {
        let directory = try TestDirectory()
        try directory.write("hello", to: "file")
        let file = try directory.root.openBeneath("file", flags: .readOnly)
        var waiting: Int32 = 0
        let bytesToRead: UInt32 = 0x541b  // FIONREAD, <asm-generic/ioctls.h>
        try unsafe withUnsafeMutableBytes(of: &waiting) { bytes in
            _ = try unsafe file.descriptor.control(bytesToRead, argument: bytes.baseAddress)
        }
        #expect(waiting == 5)
        #expect(throws: Errno.inappropriateIOCTLForDevice) { try file.descriptor.control(0xdead, value: 0) }
        #expect(try file.descriptor.poll(events: 1) == 1)
    }

    @Test func locksRangesPerOpenFile() throws {
        let directory = try TestDirectory()
        try directory.write("hello", to: "file")
        let one = try directory.root.openBeneath("file", flags: .readWrite)
        let other = try directory.root.openBeneath("file", flags: .readWrite)
        let write = FileLock(kind: .write, start: 2, length: 3)
        try one.descriptor.setLock(write, wait: false)
        let conflict = try other.descriptor.conflictingLock(with: FileLock(kind: .read, start: 0, length: 0))
        #expect(conflict == FileLock(kind: .write, start: 2, length: 3, pid: -1))
        #expect(throws: Errno.resourceTemporarilyUnavailable) {
            try other.descriptor.setLock(write, wait: false)
        }
        try one.descriptor.setLock(FileLock(kind: .unlock, start: 0, length: 0), wait: false)
        #expect(try other.descriptor.conflictingLock(with: write) == nil)
        let (exclusive, dontWait): (Int32, Int32) = (2, 4)  // <asm-generic/fcntl.h>
        try one.descriptor.lock(flock: exclusive)
        #expect(throws: Errno.resourceTemporarilyUnavailable) {
            try other.descriptor.lock(flock: exclusive | dontWait)
        }
    }

    @Test func handlesSurviveRenames() throws {
        let directory = try TestDirectory()
        try directory.write("a", to: "file")
        let object = try directory.root.openBeneath("file", flags: .path)
        let handle = try orSkip(try object.descriptor.fileHandle(), "no handles here")
        #expect(handle.length > 0)
        try FileDescriptor.rename(from: directory.root, "file", to: directory.root, "renamed")
        let renamed = try directory.root.openBeneath("renamed", flags: .path)
        #expect(try renamed.descriptor.fileHandle() == handle)
        #expect(try renamed.descriptor.fileHandle()?.hashValue == handle.hashValue)
        try directory.write("b", to: "file")
        let new = try directory.root.openBeneath("file", flags: .path)
        #expect(try new.descriptor.fileHandle() != handle)
    }

    @Test func knowsWhereNoHandlesAre() throws {
        let object = try FileDescriptor.workingDirectory.openPlain("/proc/self/status", flags: .path)
        #expect(try object.descriptor.fileHandle() == nil)
    }
}
