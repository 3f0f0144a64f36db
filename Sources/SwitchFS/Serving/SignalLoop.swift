import LinuxSystem
import Logging
import SystemPackage

/// A thread that takes the process's signals, so that no handler runs in the middle of anything.
enum SignalLoop {
    private static var handled: SignalSet { [.interrupt, .terminate, .hangUp, .user1] }

    /// Before any thread starts: threads take over who blocks what.
    static func prepare() throws(Errno) {
        try Signals.block(handled)
        try Signals.ignore(.pipe)
    }

    static func start(for server: MountServer, endsOnHangUp: Bool, _ logger: Logger) {
        do throws(Errno) {
            let thread = try WorkerThread.spawn(name: "signals") { [weak server] in
                while let signal = try? Signals.wait(for: handled), let server {
                    take(signal, server, endsOnHangUp, logger)
                }
            }
            thread.detach()
        } catch {
            logger.error("no thread for signals, end the mount by umount: \(error)")
        }
    }

    private static func take(
        _ signal: Signal, _ server: MountServer, _ endsOnHangUp: Bool, _ logger: Logger
    ) {
        switch signal {
        case .user1: log(server.status(), logger)
        case .hangUp where !endsOnHangUp: break
        default: server.stop()
        }
    }

    private static func log(_ status: MountStatus, _ logger: Logger) {
        for line in StatusText.lines(status) { logger.notice("\(line)") }
    }
}
