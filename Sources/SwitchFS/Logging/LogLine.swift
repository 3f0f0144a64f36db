import Logging

/// One event as one line of text: the message, then what goes with it as `key=value`.
enum LogLine {
    static func text(_ event: LogEvent, _ common: Logger.Metadata) -> String {
        let metadata = common.merging(event.metadata ?? [:]) { _, own in own }
        let pairs = metadata.sorted { $0.key < $1.key }.map { " \($0.key)=\($0.value)" }
        let error = event.error.map { ": \($0)" } ?? ""
        return "\(event.message)\(error)\(pairs.joined())"
    }
}
