import LinuxSystem
import Logging
import Synchronization
import SystemPackage

/// Answers the commands that ask about a mount: one thread, one connection after the other, each with little
/// time, so that a caller who hangs holds up others for seconds at most.
final class ControlServer: Sendable {
    private let socket: UnixSocket
    private let owner: UInt32
    private let logger: Logger
    private let answer: @Sendable (ControlRequest) -> ControlReply
    private let isStopping = Atomic<Bool>(false)
    private let thread = Mutex<WorkerThread?>(nil)

    /// How long a caller may take to send its request, in milliseconds.
    private static let patience: Int32 = 2000

    init(
        major: UInt32, minor: UInt32, logger: Logger,
        answer: @escaping @Sendable (ControlRequest) -> ControlReply
    ) throws(Errno) {
        let name = ControlSocket.name(major: major, minor: minor)
        socket = try ControlSocket.retrying(100, passing: .addressInUse) { () throws(Errno) in
            try UnixSocket.listen(abstract: name.ref)
        }
        self.logger = logger
        self.answer = answer
        owner = ServerIdentity.uid
    }

    func start() throws(Errno) {
        let started = try WorkerThread.spawn(name: "control") { [self] in
            serve()
        }
        thread.withLock { $0 = started }
    }

    /// Returns when the thread is gone. Takes no descriptor, for there may be none left.
    func stop() {
        guard !isStopping.exchange(true, ordering: .acquiringAndReleasing) else { return }
        try? socket.shutDown()
        thread.withLock { $0.take() }?.join()
    }

    private func serve() {
        while !isStopping.load(ordering: .acquiring) {
            do {
                let connection = try socket.accept()
                if isStopping.load(ordering: .acquiring) { return }
                try handle(connection)
            } catch Errno.interrupted, Errno.brokenPipe, Errno.connectionReset {
                continue
            } catch Errno.tooManyOpenFiles, Errno.tooManyOpenFilesInSystem {
                // The connection stays in the queue: wait, or this loop would spin.
                _ = try? socket.descriptor.poll(events: 0, timeout: 100)
            } catch {
                if !isStopping.load(ordering: .acquiring) { logger.warning("control channel: \(error)") }
                return
            }
        }
    }

    private func handle(_ connection: borrowing UnixSocket) throws(Errno) {
        // Read first, whatever the caller may do: closing with bytes unread would cut the reply off.
        let request = try receive(connection)
        let peer = try connection.peerCredentials()
        let reply: ControlReply =
            if peer.uid != 0 && peer.uid != owner {
                .failure("only root and the user who mounted may ask")
            } else if let request {
                answer(request)
            } else {
                .failure("the mount's server is switchfs \(SwitchFSVersion.current) and can't do that")
            }
        try connection.send(reply.bytes)
    }

    private func receive(_ connection: borrowing UnixSocket) throws(Errno) -> ControlRequest? {
        var bytes: [UInt8] = []
        let deadline = ContinuousClock.now + .milliseconds(Int(Self.patience))
        while !ControlRequest.isComplete(bytes), bytes.count < ControlRequest.largest {
            guard try ControlTransfer.receive(connection, onto: &bytes, until: deadline) else { return nil }
        }
        return ControlRequest(bytes)
    }
}
