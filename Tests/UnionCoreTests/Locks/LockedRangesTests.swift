import LinuxSystem
import Testing

@testable import UnionCore

@Suite struct LockedRangesTests {
    /// What each of 64 bytes is: free, shared, exclusive.
    private struct Model {
        var bytes = [FileLock.Kind?](repeating: nil, count: 64)

        mutating func apply(_ lock: FileLock) {
            for at in bytes.indices where Int64(at) >= lock.start && Int64(at) <= lock.end {
                bytes[at] = lock.kind == .unlock ? nil : lock.kind
            }
        }

        func isConflict(_ lock: FileLock) -> Bool {
            bytes.indices.contains { at in
                guard Int64(at) >= lock.start, Int64(at) <= lock.end, let kind = bytes[at] else {
                    return false
                }
                return kind == .write || lock.kind == .write
            }
        }
    }

    @Test(arguments: 0..<20 as Range<UInt64>)
    func agreeWithBytes(seed: UInt64) {
        var random = Xorshift(seed)
        var (ranges, model) = (LockedRanges(), Model())
        for _ in 0..<200 {
            let start = Int64.random(in: 0..<60, using: &random)
            let length = Int64.random(in: 0...(63 - start), using: &random)
            let kind = [FileLock.Kind.read, .write, .unlock].randomElement(using: &random) ?? .read
            let lock = FileLock(kind: kind, start: start, length: length)
            if kind != .unlock { #expect((ranges.conflict(with: lock) != nil) == model.isConflict(lock)) }
            ranges.apply(lock)
            model.apply(lock)
            for (part, next) in zip(ranges.parts, ranges.parts.dropFirst()) {
                #expect(part.end < next.start)
                #expect(part.end + 1 < next.start || part.isExclusive != next.isExclusive)
            }
        }
    }

    @Test func endOfTheFileIsNoNumber() throws {
        var ranges = LockedRanges()
        ranges.apply(FileLock(kind: .write, start: .max - 1, length: 0))
        ranges.apply(FileLock(kind: .write, start: 0, length: 5))
        #expect(ranges.parts.count == 2)
        let range = LockRange(type: 1, start: 3, end: .max, pid: 0)
        #expect(try #require(FileLock(range)).length == 0)
        #expect(FileLock(LockRange(type: 1, start: 3, end: 2, pid: 0)) == nil)
        #expect(FileLock(LockRange(type: 7, start: 0, end: 2, pid: 0)) == nil)
    }
}

private struct Xorshift: RandomNumberGenerator {
    private var state: UInt64

    init(_ seed: UInt64) { state = seed &* 0x9e37_79b9_7f4a_7c15 | 1 }

    mutating func next() -> UInt64 {
        state ^= state << 13
        state ^= state >> 7
        state ^= state << 17
        return state
    }
}
