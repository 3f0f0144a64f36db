internal import LinuxSystem

// The order of a merged listing that outlives the listing. Offsets are hashes of names, so a listing that is
// made anew goes on where another was. See `ListingCache`.

/// The offset at which a merged listing goes on after a name.
enum MergedOffset {
    private static let mark: UInt64 = 1 << 62

    /// The offset for the hash of a name. It is above those of "." and "..", and positive as an off_t. It has
    /// 50 bits of the hash, and 12 bits that tell it from an offset of some filesystem's own.
    static func of(hash: UInt64) -> UInt64 {
        let order = hash >> 14
        return mark | order << 12 | seal(order)
    }

    /// Whether the offset can be a merged listing's. One in 8,192 of other offsets that large also seems to
    /// be one.
    static func isOne(_ offset: UInt64) -> Bool {
        offset >> 62 == 1 && offset & 0xfff == seal((offset << 2) >> 14)
    }

    private static func seal(_ order: UInt64) -> UInt64 { (order &* 0x9e37_79b9_7f4a_7c15) >> 52 }
}

extension MergedListing.Item {
    var offset: UInt64 { MergedOffset.of(hash: hash) }
}

extension MergedListing {
    /// The indices of the items that show, by their offsets.
    ///
    /// Hashes are spread evenly. There are as many buckets as names, and the buckets themselves are in order,
    /// so each holds one or two items.
    func sortedByOffset() -> [Int32] {
        let shown = items.lazy.filter { !$0.isHidden }.count
        let buckets = OffsetBuckets(for: shown)
        var ends = buckets.starts(of: items)
        var order = [Int32](repeating: 0, count: shown)
        for (index, item) in items.enumerated() where !item.isHidden {
            let bucket = buckets.bucket(of: item)
            order[Int(ends[bucket])] = Int32(truncatingIfNeeded: index)
            ends[bucket] += 1
        }
        // Where each bucket began is now its end.
        var start = 0
        for end in ends where start < shown {
            sort(&order, start..<Int(end))
            start = Int(end)
        }
        return order
    }

    private func sort(_ order: inout [Int32], _ range: Range<Int>) {
        // There are many only if a program chose the names so.
        guard range.count <= 8 else {
            return order[range].sort { items[Int($0)].offset < items[Int($1)].offset }
        }
        for index in range.dropFirst() {
            let moved = order[index]
            let offset = items[Int(moved)].offset
            var place = index
            while place > range.lowerBound, items[Int(order[place - 1])].offset > offset {
                order[place] = order[place - 1]
                place -= 1
            }
            order[place] = moved
        }
    }
}

/// Divides the offsets evenly.
private struct OffsetBuckets {
    private let count: Int
    private let shift: Int

    init(for names: Int) {
        let bits = max(1, Int.bitWidth - names.leadingZeroBitCount)
        count = 1 << bits
        // All offsets have the same highest two bits.
        shift = 62 - bits
    }

    func bucket(of item: MergedListing.Item) -> Int {
        Int(truncatingIfNeeded: item.offset >> shift) & (count - 1)
    }

    /// The first position of each bucket.
    func starts(of items: [MergedListing.Item]) -> [Int32] {
        var counts = [Int32](repeating: 0, count: count)
        for item in items where !item.isHidden { counts[bucket(of: item)] += 1 }
        var next: Int32 = 0
        for index in counts.indices {
            let start = next
            next += counts[index]
            counts[index] = start
        }
        return counts
    }
}
