import LinuxSystem
import Synchronization
import SystemPackage
import Testing

@Suite("Events and sockets")
struct EventTests {
    @Test func pollsByToken() throws {
        var poller = try Poller()
        let one = try WakeUp()
        let other = try WakeUp()
        try poller.add(one.descriptor, .readable, token: 1)
        try poller.add(other.descriptor, .readable, token: .max)
        #expect(try poller.wait(timeout: 0) == 0)
        other.raise()
        #expect(try poller.wait(timeout: 1000) == 1)
        #expect(poller[0].token == .max && poller[0].events == .readable)
        try poller.modify(other.descriptor, [], token: 3)
        #expect(try poller.wait(timeout: 0) == 0)
        try poller.remove(other.descriptor)
        one.raise()
        #expect(try poller.wait(timeout: 1000) == 1 && poller[0].token == 1)
    }

    @Test func watchesObjects() throws {
        let directory = try TestDirectory()
        let root = directory.root
        var inotify = try Inotify()
        let mask: InotifyMask = [.create, .delete, .movedFrom, .movedTo, .modify, .onlyDirectory]
        let object = try root.openBeneath("", flags: [.path, .directory])
        let watch = try inotify.watches.add(object.descriptor, mask: mask)
        #expect(try inotify.watches.add(root, mask: mask) == watch)
        #expect(try inotify.next() == nil)
        try root.makeDirectory(at: "directory", mode: 0o755)
        try directory.write("x", to: "a")
        try FileDescriptor.rename(from: root, "a", to: root, "b")
        try root.unlink(at: "b")
        #expect(try inotify.descriptor.poll(events: 1) == 1)
        let expected: [(InotifyMask, String)] = [
            ([.create, .isDirectory], "directory"), (.create, "a"), (.modify, "a"), (.movedFrom, "a"),
            (.movedTo, "b"), (.delete, "b"),
        ]
        var cookies = [UInt32]()
        for (mask, name) in expected {
            guard let event = try inotify.next() else { return #expect(Bool(false), "too few events") }
            #expect(event.watch == watch && event.mask == mask && event.name.string == name)
            if event.cookie != 0 { cookies.append(event.cookie) }
        }
        #expect(cookies.count == 2 && cookies.first == cookies.last)
        #expect(try inotify.next() == nil)
        try inotify.watches.remove(watch)
        let last = try inotify.next()
        #expect(last?.mask == .ignored)
        #expect(last?.name.isEmpty == true)
        #expect(throws: Errno.invalidArgument) { try inotify.watches.remove(watch) }
    }

    @Test func talksBySocket() throws {
        let name = Random.name(prefix: "linuxsystem-test-")
        let server = try UnixSocket.listen(abstract: name.ref)
        #expect(throws: Errno.addressInUse) { _ = try UnixSocket.listen(abstract: name.ref) }
        let message = [UInt8](repeating: 0x61, count: 1 << 20)
        let client = try UnixSocket.connect(abstract: name.ref)
        let accepted = try server.accept()
        let peer = try accepted.peerCredentials()
        #expect(peer.pid == ServerIdentity.pid && peer.uid == ServerIdentity.uid)
        let received = try exchange(client, accepted, message)
        #expect(received == message)
        let stranger = Random.name(prefix: "nobody-")
        #expect(throws: Errno.connectionRefused) { _ = try UnixSocket.connect(abstract: stranger.ref) }
        let long = OwnedName(String(repeating: "x", count: 200))
        #expect(throws: Errno.fileNameTooLong) { _ = try UnixSocket.listen(abstract: long.ref) }
    }

    /// Sends on a thread of its own, for a message larger than the sockets' buffers, and receives it all.
    private func exchange(
        _ client: consuming UnixSocket, _ accepted: borrowing UnixSocket, _ message: [UInt8]
    ) throws -> [UInt8] {
        let sender = Sender(client)
        let thread = try WorkerThread.spawn(name: "sends") { sender.sendAndClose(message) }
        defer { thread.join() }
        return try accepted.receiveAll()
    }
}

/// Carries a socket to another thread.
private final class Sender: Sendable {
    private let socket: Mutex<UnixSocket?>

    init(_ socket: consuming UnixSocket) {
        self.socket = Mutex(consume socket)
    }

    func sendAndClose(_ message: [UInt8]) {
        socket.withLock { socket in
            guard let taken = socket.take() else { return }
            #expect(throws: Never.self) { try taken.send(message) }
        }
    }
}
