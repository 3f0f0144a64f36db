import Glibc
import SwitchTestKit
import SystemPackage
import Testing

/// Random reads, writes, mappings and size changes on one file, checked against its shadow in memory.
@Suite(.enabled(if: Machine.canMount, "needs root and /dev/fuse"))
struct SingleFileTests {
    enum Place: String, CaseIterable, Sendable {
        case upper, lower, tmpfsLower, overlayLower, lowerWithoutPassthrough
    }

    private static func lower(_ place: Place, _ scratch: Scratch) throws -> TestPath {
        switch place {
        case .tmpfsLower: try scratch.tmpfs("lower")
        case .overlayLower: try scratch.overlay("lower", lower: [:])
        default: try scratch.directory("lower")
        }
    }

    @Test(.timeLimit(.minutes(2)), arguments: Place.allCases)
    func matchesItsShadow(place: Place) throws {
        let seed = SeededRandom.seed
        print("seed \(seed) (SWITCHFS_TEST_SEED repeats it), \(place)")
        try withScratch { scratch throws in
            let lower = try Self.lower(place, scratch)
            let upper = try scratch.directory("upper")
            let options = place == .lowerWithoutPassthrough ? ["passthrough=off", "coherence=static"] : []
            let real = place == .upper ? upper / "f" : lower / "f"
            try Sys.put(real, "")
            try withUnion(in: scratch, upper: upper, lowers: [lower], options: options) { union throws in
                var exerciser = try Exerciser(union["f"], real: real, seed: seed)
                let deadline = Deadline(4)
                while !deadline.passed { try exerciser.step() }
                try exerciser.checkAll()
                print("\(place): \(exerciser.count) operations")
                #expect(exerciser.count > 100)
                #expect(try Sys.contents(real) == Sys.contents(union["f"]))
            }
        }
    }
}

/// One file and what it must hold.
private struct Exerciser {
    private let path: TestPath
    private let real: TestPath
    private var handle: Handle
    private var shadow: [UInt8] = []
    private var random: SeededRandom
    private var log: [String] = []
    private let limit = 1 << 18
    private(set) var count = 0

    init(_ path: TestPath, real: TestPath, seed: UInt64) throws {
        self.path = path
        self.real = real
        random = SeededRandom(seed: seed)
        handle = try Sys.open(path, O_RDWR)
    }

    mutating func step() throws {
        count += 1
        let (offset, length) = (random.below(limit - 1), random.below(1 << 15) + 1)
        switch random.below(14) {
        case 0, 1: try read(offset, length)
        case 2, 3, 4: try write(offset, min(length, limit - offset))
        case 5: try truncate(random.below(limit))
        case 6: try mapRead(offset, length)
        case 7: try mapWrite(offset, length)
        case 8: try punch(offset, length, zero: false)
        case 9: try punch(offset, length, zero: true)
        case 10: try extend(offset, min(length, limit - offset))
        case 11: try copy(offset, length)
        case 12: try reopen()
        default: try readDirectly(offset, length)
        }
        try expect(try Int(handle.facts().size) == shadow.count, "size \(try handle.facts().size)")
    }

    mutating func checkAll() throws {
        try handle.synchronize()
        try expect(try handle.read(limit, at: 0) == shadow, "whole file")
        try expect(try Sys.contents(real) == shadow, "whole file directly")
    }

    private mutating func read(_ offset: Int, _ length: Int) throws {
        log.append("read \(offset) \(length)")
        try expect(try handle.read(length, at: Int64(offset)) == part(offset, length), "read")
    }

    /// What the layer itself shows must be the same at once.
    private mutating func readDirectly(_ offset: Int, _ length: Int) throws {
        log.append("direct read \(offset) \(length)")
        let direct = try Sys.open(real)
        try expect(try direct.read(length, at: Int64(offset)) == part(offset, length), "direct read")
    }

    private mutating func write(_ offset: Int, _ length: Int) throws {
        log.append("write \(offset) \(length)")
        let bytes = fresh(length)
        try expect(try handle.write(bytes, at: Int64(offset)) == length, "short write")
        grow(to: offset + length)
        shadow.replaceSubrange(offset..<(offset + length), with: bytes)
    }

    private mutating func truncate(_ size: Int) throws {
        log.append("truncate \(size)")
        if random.below(2) == 0 {
            try handle.truncate(to: Int64(size))
        } else {
            try Sys.truncate(path, to: Int64(size))
        }
        if size < shadow.count { shadow.removeLast(shadow.count - size) } else { grow(to: size) }
    }

    private mutating func mapRead(_ offset: Int, _ length: Int) throws {
        guard let range = clamp(offset, length) else { return }
        log.append("map read \(range)")
        let map = try Mapping(handle, length: shadow.count, writable: false)
        try expect(map.bytes(range) == Array(shadow[range]), "map read")
    }

    private mutating func mapWrite(_ offset: Int, _ length: Int) throws {
        guard let range = clamp(offset, length) else { return }
        log.append("map write \(range)")
        let map = try Mapping(handle, length: shadow.count, writable: true)
        let bytes = fresh(range.count)
        map.store(bytes, at: range.lowerBound)
        try map.synchronize()
        shadow.replaceSubrange(range, with: bytes)
    }

    private mutating func punch(_ offset: Int, _ length: Int, zero: Bool) throws {
        log.append("\(zero ? "zero" : "punch") \(offset) \(length)")
        let mode = (zero ? Flag.zeroRange : Flag.punchHole) | Flag.keepSize
        let file = handle
        let error = failure { try file.allocate(mode, offset: Int64(offset), length: Int64(length)) }
        if error == .notSupported { return }
        try expect(error == nil, "allocate: \(error?.name ?? "")")
        guard let range = clamp(offset, length) else { return }
        shadow.replaceSubrange(range, with: [UInt8](repeating: 0, count: range.count))
    }

    private mutating func extend(_ offset: Int, _ length: Int) throws {
        log.append("allocate \(offset) \(length)")
        try handle.allocate(offset: Int64(offset), length: Int64(length))
        grow(to: offset + length)
    }

    private mutating func copy(_ offset: Int, _ length: Int) throws {
        guard let range = clamp(offset, length) else { return }
        let target = range.upperBound + random.below(max(1, limit - range.upperBound - range.count))
        guard target + range.count <= limit else { return }
        log.append("copy \(range) to \(target)")
        let done = try handle.copy(
            from: Int64(range.lowerBound), to: handle, at: Int64(target), length: range.count)
        let bytes = Array(shadow[range].prefix(done))
        if done > 0 { grow(to: target + done) }
        shadow.replaceSubrange(target..<(target + done), with: bytes)
    }

    private mutating func reopen() throws {
        log.append("reopen")
        handle = try Sys.open(path, random.below(4) == 0 ? O_RDWR | O_SYNC : O_RDWR)
    }

    private func clamp(_ offset: Int, _ length: Int) -> Range<Int>? {
        offset < shadow.count ? offset..<min(offset + length, shadow.count) : nil
    }

    private func part(_ offset: Int, _ length: Int) -> [UInt8] {
        clamp(offset, length).map { Array(shadow[$0]) } ?? []
    }

    private mutating func grow(to size: Int) {
        if size > shadow.count { shadow += [UInt8](repeating: 0, count: size - shadow.count) }
    }

    private mutating func fresh(_ length: Int) -> [UInt8] {
        let start = UInt8(truncatingIfNeeded: random.next())
        return (0..<length).map { start &+ UInt8(truncatingIfNeeded: $0 &* 7) }
    }

    private func expect(_ holds: Bool, _ what: String) throws {
        if holds { return }
        throw FixtureError(
            "\(what) wrong (size \(shadow.count)) after: \(log.suffix(12).joined(separator: "; "))")
    }
}
