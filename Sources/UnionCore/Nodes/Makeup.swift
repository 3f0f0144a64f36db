internal import LinuxSystem
internal import SystemPackage

/// What a union directory is made of: the real directories that back it, and what is marked on them.
struct Makeup: Equatable, Sendable {
    /// One mark for each real directory. The first, for most have no other.
    private var first: UInt64 = 0
    private var others: [UInt64] = []
    /// What is marked on them, as far as it counts.
    private var marks: UInt64 = 0
    /// A bit for each layer that has a part of it; those from the 64th on share one.
    private(set) var layers: UInt64 = 0
    /// One of them is a skeleton.
    private(set) var hasSkeleton = false
    /// The lowest layer that may back it, by what stands at its own name. What ends the search above it comes on top.
    private(set) var floor = Int.max
    /// Where it is in lower layers, by marks of overlayfs.
    private(set) var redirections: [Redirection] = []

    init() {}

    /// No part of it yet. `floor`: the lowest layer that may back it.
    init(floor: Int, redirections: [Redirection]) {
        self.floor = floor
        self.redirections = redirections
    }

    /// Adds a layer's real directory, with what is marked on it as far as it counts.
    mutating func add(_ status: FileStatus, in layer: Layer, _ marks: Marks) {
        add(Self.part(status, in: layer))
        layers |= layer.bit
        if marks.contains(.skeleton) { hasSkeleton = true }
        self.marks = self.marks &* 31 &+ UInt64(marks.rawValue) &+ 1
    }

    private mutating func add(_ part: UInt64) {
        if first == 0 { first = part } else { others.append(part) }
    }

    func has(_ part: UInt64) -> Bool { first == part || others.contains(part) }

    /// Something of the one is still part of the other: it is the same directory to users.
    func shares(with other: Makeup) -> Bool {
        if other.has(first) { return first != 0 }
        return others.contains(where: other.has)
    }

    /// Nothing is part of it that isn't part of the other.
    func isWithin(_ other: Makeup) -> Bool {
        (first == 0 || other.has(first)) && others.allSatisfy(other.has)
    }

    /// The parts together, whatever is marked on them.
    var backings: UInt64 { others.reduce(first, ^) }

    /// The directory may be backed by no layer below this one from now on.
    mutating func lower(floor layer: Int) { floor = min(floor, layer) }

    /// What a real directory is known by as a part, in whichever layer it is by now. Not 0.
    static func part(_ status: FileStatus, in layer: Layer) -> UInt64 {
        var fingerprint = FingerprintBuilder(seed)
        fingerprint.add(status.device)
        fingerprint.add(status.inode)
        // A copy-up gives an overlay's object another birth.
        if layer.filesystem.type != .overlay { fingerprint.add(status.born) }
        return fingerprint.value | 1
    }

    /// Nobody who makes directories can know it: two that differ have two marks.
    private static let seed = UInt64.random(in: 0 ... .max)
}

extension Layer {
    /// For `Makeup.layers`.
    var bit: UInt64 { 1 << UInt64(min(index, 63)) }
}
