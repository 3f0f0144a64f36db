import LinuxSystem

/// What a command asks the process that serves a mount, over an abstract UNIX stream socket.
///
/// Request: the verb, NUL, the argument, NUL, in raw bytes. Reply: one status byte, then JSON or an error's
/// line, to the end of the stream.
enum ControlRequest: Equatable, Sendable {
    case status
    /// A path in the union, from its root.
    case explain([UInt8])

    /// No request is longer: PATH_MAX many times over.
    static let largest = 1 << 16

    var bytes: [UInt8] {
        switch self {
        case .status: Array("status".utf8) + [0, 0]
        case .explain(let path): Array("explain".utf8) + [0] + path + [0]
        }
    }

    /// nil: no request that this version knows.
    init?(_ bytes: some Collection<UInt8>) {
        let parts = bytes.split(separator: 0, omittingEmptySubsequences: false)
        guard parts.count == 3 else { return nil }
        switch String(decoding: parts[0], as: UTF8.self) {
        case "status": self = .status
        case "explain": self = .explain(Array(parts[1]))
        default: return nil
        }
    }

    static func isComplete(_ bytes: [UInt8]) -> Bool {
        bytes.lazy.filter { $0 == 0 }.count == 2
    }
}

enum ControlReply: Sendable, Equatable {
    case answer([UInt8])
    case failure(String)

    private static let answered = UInt8(ascii: "+")
    private static let failed = UInt8(ascii: "-")

    var bytes: [UInt8] {
        switch self {
        case .answer(let body): [Self.answered] + body
        case .failure(let message): [Self.failed] + Array(message.utf8)
        }
    }

    init?(_ bytes: [UInt8]) {
        switch bytes.first {
        case Self.answered: self = .answer(Array(bytes.dropFirst()))
        case Self.failed: self = .failure(String(decoding: bytes.dropFirst(), as: UTF8.self))
        default: return nil
        }
    }
}

enum ControlSocket {
    /// The abstract name that a mount's server listens on: the FUSE mount's device number is its own on this
    /// machine, whatever path leads to it.
    static func name(major: UInt32, minor: UInt32) -> OwnedName {
        OwnedName("switchfs-\(major):\(minor)")
    }
}
