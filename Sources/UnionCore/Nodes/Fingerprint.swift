internal import LinuxSystem
internal import SystemPackage

// Fingerprints of what the kernel was told: equal fingerprints, equal answers. They save telling it again.

extension Attributes {
    /// The fingerprint of all attributes but the access time, which reading moves.
    var fingerprint: UInt64 {
        var fingerprint = FingerprintBuilder()
        fingerprint.add(inode)
        fingerprint.add(UInt64(mode) << 32 | UInt64(linkCount))
        fingerprint.add(UInt64(uid) << 32 | UInt64(gid))
        fingerprint.add(UInt64(bitPattern: size))
        fingerprint.add(modificationTime)
        fingerprint.add(changeTime)
        return fingerprint.value
    }
}

/// Which attributes the kernel may have, of those that were reported.
enum ReportedFingerprint: Equatable {
    case none
    /// `to`: the thread that asked; 0: any.
    case one(UInt64, to: Int32)
    /// Of several replies at one time the kernel keeps the one that comes first, whichever that is.
    case several

    mutating func add(_ fingerprint: UInt64, to thread: Int32) {
        switch self {
        case .none: self = .one(fingerprint, to: thread)
        case .one(fingerprint, let asker): self = .one(fingerprint, to: asker == thread ? thread : 0)
        default: self = .several
        }
    }

    /// Whether no such answer is on its way any more. A thread waits for one request at a time, and this
    /// thread makes another one now.
    func isTaken(by thread: Int32) -> Bool {
        switch self {
        case .none: true
        case .one(_, let asker): thread != 0 && asker == thread
        case .several: false
        }
    }

    func isJust(_ fingerprint: UInt64) -> Bool {
        if case .one(fingerprint, _) = self { true } else { false }
    }
}

struct FingerprintBuilder {
    private(set) var value: UInt64

    init(_ seed: UInt64 = 0x9e37_79b9_7f4a_7c15) { value = seed }

    mutating func add(_ word: UInt64) {
        value = (value ^ word) &* 0xff51_afd7_ed55_8ccd
        value ^= value >> 32
    }

    mutating func add(_ time: Timestamp) {
        add(UInt64(bitPattern: time.seconds))
        add(UInt64(time.nanoseconds))
    }
}
