import LinuxSystem
import Logging
import SystemPackage
import Testing

@testable import SwitchFS

@Suite("The control channel")
struct ControlTests {
    @Test(
        "Requests and replies survive the way",
        arguments: [
            ControlRequest.status, .explain(Array("a/b".utf8)), .explain([]), .sync, .orphans,
            .restoreOrphan(Array("12".utf8)), .purgeOrphan(Array("12".utf8)), .purgeAllOrphans,
            .complete(Array("a".utf8)), .incomplete(Array("a".utf8)),
        ])
    func coding(request: ControlRequest) {
        #expect(ControlRequest(request.bytes) == request)
        #expect(ControlRequest.isComplete(request.bytes))
        #expect(!ControlRequest.isComplete(Array(request.bytes.dropLast())))
        #expect(ControlReply(ControlReply.answer([1, 2]).bytes) == .answer([1, 2]))
        #expect(ControlReply(ControlReply.failure("no").bytes) == .failure("no"))
        #expect(ControlReply([]) == nil)
        #expect(ControlRequest(Array("dance\0\0".utf8)) == nil)
    }

    /// Device numbers that no mount has, one a test.
    private func server(
        _ minor: UInt32, _ answer: @escaping @Sendable (ControlRequest) -> ControlReply
    ) throws -> (ControlServer, MountPlace) {
        let number = minor &+ UInt32(truncatingIfNeeded: ServerIdentity.pid) &* 16
        let server = try ControlServer(
            major: 0xfff_fff, minor: number, logger: Logger(label: "test"), answer: answer)
        try server.start()
        return (server, MountPlace(path: "/m", major: 0xfff_fff, minor: number, owner: ServerIdentity.uid))
    }

    @Test("Asking and being answered, several times")
    func asking() throws {
        let (server, place) = try server(1) { request in
            request == .status ? .answer(Array("{}".utf8)) : .failure("not here")
        }
        defer { server.stop() }
        let client = ControlClient(place: place, timeout: .seconds(5))
        for _ in 0..<3 {
            let answer = try client.ask(.status)
            #expect(answer.body == Array("{}".utf8))
            #expect(answer.pid == ServerIdentity.pid)
        }
        let error = #expect(throws: MountError.self) { try client.ask(.explain([])) }
        #expect(error?.message == "/m: not here")
    }

    @Test("A large answer comes whole")
    func large() throws {
        let body = [UInt8](repeating: 7, count: 3_000_000)
        let (server, place) = try server(2) { _ in .answer(body) }
        defer { server.stop() }
        #expect(try ControlClient(place: place, timeout: .seconds(10)).ask(.status).body == body)
    }

    @Test("A server that gave up before the request came")
    func impatient() throws {
        let place = MountPlace(
            path: "/m", major: 0xfff_fff, minor: UInt32(ServerIdentity.pid) &* 16 &+ 9,
            owner: ServerIdentity.uid)
        let name = ControlSocket.name(major: place.major, minor: place.minor)
        let socket = try UnixSocket.listen(abstract: name.ref)
        let server = try WorkerThread.spawn(name: "impatient") {
            for isLast in [false, false, true] {
                guard let connection = try? socket.accept() else { return }
                guard isLast else { continue }
                // Closing with bytes unread would cut the reply off.
                var request: [UInt8] = []
                let deadline = ContinuousClock.now + .seconds(10)
                _ = try? ControlTransfer.receive(connection, onto: &request, until: deadline)
                try? connection.send(ControlReply.answer([1]).bytes)
            }
        }
        #expect(try ControlClient(place: place, timeout: .seconds(10)).ask(.status).body == [1])
        server.join()
    }

    @Test("A server that says nothing, and one that is gone")
    func failing() throws {
        let place = MountPlace(
            path: "/m", major: 0xfff_fff, minor: UInt32(ServerIdentity.pid) &* 16,
            owner: ServerIdentity.uid)
        let client = ControlClient(place: place, timeout: .milliseconds(100))
        do {
            let name = ControlSocket.name(major: place.major, minor: place.minor)
            let silent = try UnixSocket.listen(abstract: name.ref)
            let error = #expect(throws: MountError.self) { try client.ask(.status) }
            #expect(error?.message.contains("does not answer") == true)
            _ = silent.descriptor
        }
        // A process that another test starts just now may hold the socket open until it executes.
        var message = ""
        for _ in 0..<100 where !message.contains("nobody serves this mount") {
            message = #expect(throws: MountError.self) { try client.ask(.status) }?.message ?? ""
        }
        #expect(message.contains("nobody serves this mount"))
    }

    @Test(
        "Paths on the command line",
        arguments: [
            ("/a//b/./c/", "/a/b/c"), ("/a/../b", "/b"), ("/..", "/"), ("/", "/"), ("//a", "/a"),
        ])
    func paths(given: String, normal: String) {
        #expect(CommandPath.normalized(given) == normal)
    }
}
