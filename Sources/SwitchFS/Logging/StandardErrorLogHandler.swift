import Glibc
public import Logging

/// For the foreground: each event a line on standard error.
public struct StandardErrorLogHandler: LogHandler {
    public var logLevel: Logger.Level
    public var metadata: Logger.Metadata = [:]

    public init(level: Logger.Level = .info) {
        logLevel = level
    }

    public subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    /// One write(2) a line, so that lines of several threads don't mix.
    public func log(event: LogEvent) {
        let line = "switchfs: \(event.level): \(LogLine.text(event, metadata))\n"
        var bytes = Array(line.utf8)
        _ = unsafe bytes.withUnsafeMutableBytes { unsafe write(2, $0.baseAddress, $0.count) }
    }
}
