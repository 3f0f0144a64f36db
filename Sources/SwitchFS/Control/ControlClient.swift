import LinuxSystem
import SystemPackage

/// Asks the process that serves a mount. Never touches the mount itself, and never waits longer than told:
/// the server may be dead or hang.
struct ControlClient {
    let place: MountPlace
    let timeout: Duration

    /// The server's pid and its answer.
    func ask(_ request: ControlRequest) throws(MountError) -> (pid: Int32, body: [UInt8]) {
        do {
            return try persistently { try exchange(request) }
        } catch let error as Errno {
            throw explain(error)
        } catch let error as MountError {
            throw error
        } catch {
            throw .failure("\(place.path): \(error)")
        }
    }

    /// On a machine that is very busy the server may have given up on us before we had our turn to ask. Where it is still
    /// there nothing was done.
    private func persistently<R>(_ ask: () throws -> R) throws -> R {
        for _ in 0..<Self.mostTries - 1 {
            do {
                return try ask()
            } catch Errno.connectionReset, Errno.brokenPipe {
                continue
            }
        }
        return try ask()
    }

    private static let mostTries = 5

    private func exchange(_ request: ControlRequest) throws -> (pid: Int32, body: [UInt8]) {
        let name = ControlSocket.name(major: place.major, minor: place.minor)
        let socket = try ControlSocket.retrying(50, passing: .connectionRefused) { () throws(Errno) in
            try UnixSocket.connect(abstract: name.ref)
        }
        let server = try socket.peerCredentials()
        // Anyone may take an abstract name before the server does.
        guard server.uid == 0 || server.uid == place.owner else {
            throw MountError.failure(
                "\(place.path): who answers for this mount (pid \(server.pid), uid \(server.uid)) is not who "
                    + "mounted it; nothing was asked")
        }
        try socket.send(request.bytes)
        var bytes: [UInt8] = []
        let deadline = ContinuousClock.now + timeout
        while try ControlTransfer.receive(socket, onto: &bytes, until: deadline) {}
        guard ContinuousClock.now < deadline else { throw Errno.timedOut }
        if bytes.isEmpty { throw Errno.connectionReset }
        guard let reply = ControlReply(bytes) else { throw Errno.badMessage }
        switch reply {
        case .answer(let body): return (server.pid, body)
        case .failure(let message): throw MountError.failure("\(place.path): \(message)")
        }
    }

    private func explain(_ error: Errno) -> MountError {
        switch error {
        case .connectionRefused, .noSuchFileOrDirectory:
            .failure(
                "\(place.path): nobody serves this mount any more; end it: switchfs unmount \(place.path)")
        case .timedOut:
            .failure("\(place.path): the mount's server does not answer; see its log, or unmount it")
        case .connectionReset, .brokenPipe:
            .failure("\(place.path): the mount's server ended while it was asked")
        default:
            .failure("\(place.path): the mount's server can't be asked: \(error)")
        }
    }
}
