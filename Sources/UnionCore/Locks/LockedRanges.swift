internal import LinuxSystem

/// The parts of one file that one owner has locked: disjoint, in order, neighbours of a kind joined.
struct LockedRanges: Sendable, Equatable {
    struct Part: Sendable, Equatable {
        var start: Int64
        /// The last byte, inclusive.
        var end: Int64
        var isExclusive: Bool

        fileprivate func joins(_ next: Part) -> Bool {
            isExclusive == next.isExclusive && end != .max && end + 1 >= next.start
        }
    }

    private(set) var parts: [Part] = []

    /// Does what fcntl(2) does with a lock that it grants: the range is of the new kind, or free.
    mutating func apply(_ lock: FileLock) {
        let (start, end) = (lock.start, lock.end)
        var changed: [Part] = []
        for part in parts {
            if part.end < start || part.start > end {
                changed.append(part)
                continue
            }
            if part.start < start {
                changed.append(Part(start: part.start, end: start - 1, isExclusive: part.isExclusive))
            }
            if part.end > end {
                changed.append(Part(start: end + 1, end: part.end, isExclusive: part.isExclusive))
            }
        }
        if lock.kind != .unlock {
            changed.append(Part(start: start, end: end, isExclusive: lock.kind == .write))
        }
        parts = Self.joined(changed.sorted { $0.start < $1.start })
    }

    private static func joined(_ parts: [Part]) -> [Part] {
        var joined: [Part] = []
        for part in parts {
            if let last = joined.last, last.joins(part) {
                joined[joined.count - 1].end = max(last.end, part.end)
            } else {
                joined.append(part)
            }
        }
        return joined
    }

    /// The first part that another owner's lock can't be beside. nil: there is none.
    func conflict(with lock: FileLock) -> Part? {
        parts.first { FileLock($0).excludes(lock) }
    }
}

extension FileLock {
    /// The last byte, inclusive.
    var end: Int64 { length == 0 ? .max : start + (length - 1) }

    /// Whether two owners can't have both locks.
    func excludes(_ other: FileLock) -> Bool {
        start <= other.end && other.start <= end && (kind == .write || other.kind == .write)
    }

    /// nil: fcntl(2) knows no such lock.
    init?(_ range: LockRange) {
        guard let kind = Kind(rawValue: Int32(range.type)), range.start >= 0, range.end >= range.start
        else { return nil }
        // A length of 0 reaches to the end of the file.
        let length = range.end == .max ? 0 : range.end - range.start + 1
        self.init(kind: kind, start: range.start, length: length)
    }

    init(_ part: LockedRanges.Part) {
        let length = part.end == .max ? 0 : part.end - part.start + 1
        self.init(kind: part.isExclusive ? .write : .read, start: part.start, length: length)
    }
}
