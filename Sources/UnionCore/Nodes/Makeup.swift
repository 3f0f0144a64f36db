internal import LinuxSystem
internal import SystemPackage

/// What a union directory is made of: the real directories that back it, and the marks on them.
struct Makeup: Equatable, Sendable {
    /// The fingerprint of the first real directory. Most directories have only this one.
    private var first: UInt64 = 0
    private var others: [UInt64] = []
    /// The marks on them, as far as they count, hashed.
    private var marks: UInt64 = 0
    /// A bit for each layer that has a part of it. Those from the 64th on share one.
    private(set) var layers: UInt64 = 0
    /// Whether one of them is a skeleton.
    private(set) var hasSkeleton = false
    /// The lowest layer that may back it, by what stands at its own name. What stands above it may end the
    /// search earlier.
    private(set) var floor = Int.max
    /// Where it is in lower layers, by marks of overlayfs.
    private(set) var redirections: [Redirection] = []

    init() {}

    /// A makeup without any part yet. `floor`: the lowest layer that may back the directory.
    init(floor: Int, redirections: [Redirection]) {
        self.floor = floor
        self.redirections = redirections
    }

    /// Adds a layer's real directory, with the marks on it that count.
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

    /// Whether the two have a part in common: then it is the same directory to users.
    func shares(with other: Makeup) -> Bool {
        if other.has(first) { return first != 0 }
        return others.contains(where: other.has)
    }

    /// Whether the other has every part of this one.
    func isWithin(_ other: Makeup) -> Bool {
        (first == 0 || other.has(first)) && others.allSatisfy(other.has)
    }

    /// The fingerprint of all parts together, without the marks on them.
    var backings: UInt64 { others.reduce(first, ^) }

    /// Lets no layer below this one back the directory from now on.
    mutating func lower(floor layer: Int) { floor = min(floor, layer) }

    /// The fingerprint of a real directory as a part, whichever layer it is in by now. It is never 0.
    static func part(_ status: FileStatus, in layer: Layer) -> UInt64 {
        var fingerprint = FingerprintBuilder(seed)
        fingerprint.add(status.device)
        fingerprint.add(status.inode)
        // A copy-up gives an overlay's object another birth time.
        if layer.filesystem.type != .overlay { fingerprint.add(status.born) }
        return fingerprint.value | 1
    }

    /// A user that makes directories can't know the seed, so two that differ have two fingerprints.
    private static let seed = UInt64.random(in: 0 ... .max)
}

extension Layer {
    /// The layer's bit in `Makeup.layers`.
    var bit: UInt64 { 1 << UInt64(min(index, 63)) }
}
