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
    case one(UInt64)
    /// Of replies at the same time the kernel takes the one that comes first, whichever that is.
    case several

    mutating func add(_ mark: UInt64) {
        switch self {
        case .none: self = .one(mark)
        case .one(let known) where known == mark: break
        default: self = .several
        }
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
