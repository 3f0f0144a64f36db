import LinuxSystem
import Logging
import SystemPackage

/// Serving a mount as a process of its own: what the command does from the checked request to its exit code.
public enum MountService {
    public struct Style: Sendable {
        /// Stays with the terminal.
        public var inForeground = false
        /// Logs each request; stays with the terminal too.
        public var logsRequests = false

        public init() {}
    }

    /// Mounts and serves. Returns the exit code: in the foreground and in the background process at the
    /// mount's end, in the process that was called once the background one is ready or has failed.
    ///
    /// Call it before any thread is started: going to the background forks.
    public static func run(_ request: MountRequest, _ style: Style) -> Int32 {
        if style.inForeground || style.logsRequests {
            let level: Logger.Level = style.logsRequests ? .debug : .info
            LoggingSystem.bootstrap { _ in StandardErrorLogHandler(level: level) }
            return serve(request, style) { _ in }
        }
        do throws(Errno) {
            switch try Daemon.beginBackground() {
            case .parent(let waiter): return Int32(waiter.waitForStatus())
            case .child(let reporter): return serveInBackground(request, style, reporter)
            }
        } catch {
            return complain(.failure("can't go to the background: \(error)"))
        }
    }

    private static func serveInBackground(
        _ request: MountRequest, _ style: Style, _ reporter: consuming StartReporter
    ) -> Int32 {
        LoggingSystem.bootstrap { _ in SyslogHandler() }
        let report = OneReport(reporter)
        let status = serve(request, style) { warnings in
            for warning in warnings { Diagnostics.warn(warning) }
            // Only now: an error before this still has the terminal to go to.
            try? Daemon.detachFromTerminal()
            report.send(0)
        }
        report.send(UInt8(truncatingIfNeeded: status))
        return status
    }

    private static func serve(_ request: MountRequest, _ style: Style, onReady: ([String]) -> Void) -> Int32 {
        let logger = Logger(label: "switchfs")
        do throws(Errno) {
            try SignalLoop.prepare()
        } catch {
            return complain(.failure("signals can't be set up: \(error)"))
        }
        do throws(MountError) {
            let server = try MountServer(request, debug: style.logsRequests, logger: logger)
            SignalLoop.start(for: server, endsOnHangUp: style.inForeground || style.logsRequests, logger)
            onReady(begin(server, logger))
            server.waitForEnd()
            logger.info("unmounted \(server.mountPoint)")
            return 0
        } catch {
            return complain(error)
        }
    }

    /// The process's part, once the mount answers. Returns what the user that mounted should know.
    private static func begin(_ server: MountServer, _ logger: Logger) -> [String] {
        let cgroups = server.status().cgroups
        logger.info(
            "mounted on \(server.mountPoint), the server in cgroup \(StatusText.cgroup(cgroups) ?? "-")")
        let warnings = ServerCgroups.warnings(cgroups)
        for warning in warnings { logger.warning("\(warning)") }
        // What the program was started in is nobody's to keep busy.
        try? Daemon.leaveWorkingDirectory()
        return warnings
    }

    private static func complain(_ error: MountError) -> Int32 {
        Diagnostics.complain(error.message)
        return error.exitCode
    }
}

/// Reports to the waiting parent, once.
private final class OneReport {
    private var reporter: StartReporter?

    init(_ reporter: consuming StartReporter) {
        self.reporter = consume reporter
    }

    func send(_ status: UInt8) {
        reporter.take()?.report(status)
    }
}
