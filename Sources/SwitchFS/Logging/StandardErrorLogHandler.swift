import Glibc
public import Logging

/// For the foreground: each event a line on standard error.
public struct StandardErrorLogHandler: LogHandler {
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

    /// Writes one line: its level, its message, its metadata. One write(2) a line, so that lines of several threads don't
    /// mix; where standard error can't be written the line is lost.
    public func log(event: LogEvent) {
        let line = "switchfs: \(event.level): \(LogLine.text(event, metadata))\n"
        var bytes = Array(line.utf8)
        _ = unsafe bytes.withUnsafeMutableBytes { unsafe write(2, $0.baseAddress, $0.count) }
    }
}
