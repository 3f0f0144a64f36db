import LinuxSystem
import SystemPackage

/// What a command asks the process that serves a mount, over an abstract UNIX stream socket.
///
/// Request: the verb, NUL, the argument, NUL, in raw bytes. Reply: one status byte, then JSON or an error's
/// line, to the end of the stream.
package enum ControlRequest: Equatable, Sendable {
    case status
    /// A path in the union, from its root.
    case explain([UInt8])
    /// The answer comes when every change made underneath before is visible.
    case sync
    case orphans
    /// An orphan's id.
    case restoreOrphan([UInt8])
    case purgeOrphan([UInt8])
    case purgeAllOrphans
    /// A path as in `explain`.
    case complete([UInt8])
    case incomplete([UInt8])

    /// No request is longer: PATH_MAX many times over.
    static let largest = 1 << 16

    package var bytes: [UInt8] {
        let (verb, argument) = parts
        return Array(verb.utf8) + [0] + argument + [0]
    }

    private var parts: (verb: String, argument: [UInt8]) {
        switch self {
        case .status: ("status", [])
        case .explain(let path): ("explain", path)
        case .sync: ("sync", [])
        case .orphans: ("orphans", [])
        case .restoreOrphan(let id): ("restore-orphan", id)
        case .purgeOrphan(let id): ("purge-orphan", id)
        case .purgeAllOrphans: ("purge-all-orphans", [])
        case .complete(let path): ("complete", path)
        case .incomplete(let path): ("incomplete", path)
        }
    }

    /// nil: no request that this version knows.
    package init?(_ bytes: some Collection<UInt8>) {
        let parts = bytes.split(separator: 0, omittingEmptySubsequences: false)
        guard parts.count == 3 else { return nil }
        switch String(decoding: parts[0], as: UTF8.self) {
        case "status": self = .status
        case "explain": self = .explain(Array(parts[1]))
        case "sync": self = .sync
        case "orphans": self = .orphans
        case "restore-orphan": self = .restoreOrphan(Array(parts[1]))
        case "purge-orphan": self = .purgeOrphan(Array(parts[1]))
        case "purge-all-orphans": self = .purgeAllOrphans
        case "complete": self = .complete(Array(parts[1]))
        case "incomplete": self = .incomplete(Array(parts[1]))
        default: return nil
        }
    }

    package static func isComplete(_ bytes: [UInt8]) -> Bool {
        bytes.lazy.filter { $0 == 0 }.count == 2
    }
}

package enum ControlReply: Sendable, Equatable {
    case answer([UInt8])
    case failure(String)

    private static let answered = UInt8(ascii: "+")
    private static let failed = UInt8(ascii: "-")

    package var bytes: [UInt8] {
        switch self {
        case .answer(let body): [Self.answered] + body
        case .failure(let message): [Self.failed] + Array(message.utf8)
        }
    }

    package init?(_ bytes: [UInt8]) {
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

    /// Makes the attempt until it doesn't end with `passing` any more, for so many times 20 ms: the server of the
    /// mount that had the device number before may be about to end, and the new one to take its name.
    static func retrying(
        _ times: Int, passing: Errno, _ attempt: () throws(Errno) -> UnixSocket
    ) throws(Errno) -> UnixSocket {
        for _ in 0..<times {
            do throws(Errno) {
                return try attempt()
            } catch {
                guard error == passing else { throw error }
                pause(milliseconds: 20)
            }
        }
        throw passing
    }
}
