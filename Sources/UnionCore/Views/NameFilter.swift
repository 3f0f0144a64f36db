internal import LinuxSystem
internal import Synchronization
internal import SystemPackage

/// Which of the real directories of a cached view may have a name. A directory doesn't have a name that its
/// filter doesn't have, and needn't be asked for it: of twenty layers most don't have most names.
///
/// The filter is filled from the directories' listings once the view has been used for a while. Names in
/// later events are added, whatever became of them. So a name that has gone may be in here, but no name is
/// missing of which an event was taken in. The lock is a leaf.
final class NameFilter: Sendable {
    private static let mostNames = 50_000

    /// After how many uses the filter is filled. To ask two directories costs little, and to list them may cost
    /// much.
    private let fewestUses: Int

    private enum Stage {
        case counting(Int)
        /// The names in events that came while the filter was being filled.
        case filling([Added])
        case filled
    }

    /// A name to be added. `position`: the directory that an event named it in; nil: it isn't known which.
    private struct Added {
        let hash: UInt64
        let position: Int?
    }

    private struct State: ~Copyable {
        var stage = Stage.counting(0)
        /// One for each directory. nil: that directory may have any name.
        var filters: [BloomFilter?] = []

        mutating func insert(_ added: Added) {
            guard let position = added.position else {
                for index in filters.indices { filters[index]?.insert(added.hash) }
                return
            }
            if filters.indices.contains(position) { filters[position]?.insert(added.hash) }
        }
    }

    private let state = Mutex(State())

    /// nil: to ask so few directories is faster than to make a filter.
    init?(of directories: Int) {
        guard directories > 1 else { return nil }
        fewestUses = directories > 2 ? 16 : 256
    }

    /// A bit for each directory that may have the name of that hash. `fill` gives each directory's names, or
    /// nil if they can't be told. One thread calls it, without the lock.
    func directories(having hash: UInt64, fill: () -> [[UInt64]?]) -> UInt64 {
        let (mask, mustFill) = state.withLock { state in
            switch state.stage {
            case .counting(let uses):
                let isEnough = uses + 1 >= fewestUses
                state.stage = isEnough ? .filling([]) : .counting(uses + 1)
                return (UInt64.max, isEnough)
            case .filling: return (UInt64.max, false)
            case .filled: return (Self.mask(state.filters, hash), false)
            }
        }
        if mustFill { take(fill()) }
        return mask
    }

    /// Adds a name, as an event named an entry of the directory at that position; nil: of one of them.
    func add(_ hash: UInt64, at position: Int?) {
        let added = Added(hash: hash, position: position)
        state.withLock { state in
            switch state.stage {
            case .counting: break
            case .filling(let early): state.stage = .filling(early + [added])
            case .filled: state.insert(added)
            }
        }
    }

    private func take(_ names: [[UInt64]?]) {
        let filters = names.map { $0.map(BloomFilter.init) }
        state.withLock { state in
            guard case .filling(let early) = state.stage else { return }
            state.filters = filters
            for added in early { state.insert(added) }
            state.stage = .filled
        }
    }

    private static func mask(_ filters: [BloomFilter?], _ hash: UInt64) -> UInt64 {
        var mask = UInt64.max
        for (index, filter) in filters.enumerated().prefix(64) {
            if let filter, !filter.mayHold(hash) { mask &= ~(1 << UInt64(index)) }
        }
        return mask
    }

    /// The hashes of a directory's names. nil: there are too many, or different names may denote one entry.
    static func names(of directory: FileDescriptor) -> [UInt64]? {
        guard let opened = try? directory.openBeneath("", flags: [.readOnly, .directory]),
            opened.descriptor.distinguishesCase
        else { return nil }
        var stream = DirectoryStream(reading: opened.descriptor)
        var hashes: [UInt64] = []
        while true {
            do throws(Errno) {
                guard let entry = try stream.next() else { return hashes }
                guard hashes.count < mostNames else { return nil }
                hashes.append(entry.name.hash)
            } catch {
                return nil
            }
        }
    }
}

/// A Bloom filter: two bits for each name, sixteen bits of room.
private struct BloomFilter {
    private var words: [UInt64]

    init(_ hashes: [UInt64]) {
        var count = 16
        while count * 4 < hashes.count { count *= 2 }
        words = Array(repeating: 0, count: count)
        for hash in hashes { insert(hash) }
    }

    mutating func insert(_ hash: UInt64) {
        set(hash)
        set(hash.byteSwapped)
    }

    func mayHold(_ hash: UInt64) -> Bool {
        isSet(hash) && isSet(hash.byteSwapped)
    }

    private mutating func set(_ hash: UInt64) { words[word(hash)] |= 1 << (hash & 63) }
    private func isSet(_ hash: UInt64) -> Bool { words[word(hash)] >> (hash & 63) & 1 != 0 }
    private func word(_ hash: UInt64) -> Int { Int(truncatingIfNeeded: hash >> 6) & (words.count - 1) }
}
