import Glibc
public import Logging

/// For the background: each event to syslog, facility daemon.
public struct SyslogHandler: LogHandler {
    /// Events below it aren't written.
    public var logLevel: Logger.Level
    /// What goes with every event, as `key=value` at the line's end.
    public var metadata: Logger.Metadata = [:]

    /// A handler that writes events of this level and above.
    public init(level: Logger.Level = .info) {
        logLevel = level
    }

    /// One value of the metadata; nil: there is none of that key.
    public subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    /// Writes one line, by vsyslog(3): its message, its metadata; the priority is that of its level.
    public func log(event: LogEvent) {
        let line = "switchfs[\(getpid())]: \(LogLine.text(event, metadata))"
        let priority = Self.priority(event.level) | LOG_DAEMON
        unsafe line.withCString { text in
            unsafe withVaList([text]) { unsafe vsyslog(priority, "%s", $0) }
        }
    }

    private static func priority(_ level: Logger.Level) -> Int32 {
        switch level {
        case .trace, .debug: LOG_DEBUG
        case .info: LOG_INFO
        case .notice: LOG_NOTICE
        case .warning: LOG_WARNING
        case .error: LOG_ERR
        case .critical: LOG_CRIT
        }
    }
}
