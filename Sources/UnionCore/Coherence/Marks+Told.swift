internal import LinuxSystem
internal import SystemPackage

// Short marks of what the kernel was told: equal marks, equal answers. They save telling it again.

extension Attributes {
    /// Of everything but the access time, which reading moves.
    var mark: UInt64 {
        var mark = MarkBuilder()
        mark.add(inode)
        mark.add(UInt64(mode) << 32 | UInt64(linkCount))
        mark.add(UInt64(uid) << 32 | UInt64(gid))
        mark.add(UInt64(bitPattern: size))
        mark.add(modificationTime)
        mark.add(changeTime)
        return mark.value
    }
}

/// Which attributes the kernel may have, of those that it was told.
enum ToldMark: Equatable {
    case none
    /// `to`: the thread that asked; 0: any.
    case one(UInt64, to: Int32)
    /// Of replies at the same time the kernel takes the one that comes first, whichever that is.
    case several

    mutating func add(_ mark: UInt64, to thread: Int32) {
        switch self {
        case .none: self = .one(mark, to: thread)
        case .one(mark, let asker): self = .one(mark, to: asker == thread ? thread : 0)
        default: self = .several
        }
    }

    /// No such answer is on its way any more, as a thread waits for one request at a time, and this one makes another.
    func isTaken(by thread: Int32) -> Bool {
        switch self {
        case .none: true
        case .one(_, let asker): thread != 0 && asker == thread
        case .several: false
        }
    }

    func isJust(_ mark: UInt64) -> Bool {
        if case .one(mark, _) = self { true } else { false }
    }
}

struct MarkBuilder {
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
