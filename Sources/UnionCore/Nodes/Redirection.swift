internal import SystemPackage

/// What overlayfs's redirect mark says: the name by which the layers below have the marked object.
struct Redirection: Equatable, Sendable {
    /// The layer that has the mark. The mark counts in the layers below it.
    let layer: Int
    /// The path from each layer's root; or, if it isn't absolute, a name beside the directory.
    let path: [UInt8]
    let isAbsolute: Bool

    init(layer: Int, path: [UInt8], isAbsolute: Bool) {
        self.layer = layer
        self.path = path
        self.isAbsolute = isAbsolute
    }

    /// Reads a mark's value. A value that begins with a slash is a path, any other a single name; none leads
    /// upwards. nil: overlayfs writes no such value.
    init?(_ value: [UInt8], in layer: Layer) {
        let isAbsolute = value.first == Self.slash
        let path = isAbsolute ? Array(value.dropFirst()) : value
        let names = path.split(separator: Self.slash, omittingEmptySubsequences: false)
        guard value.count <= Self.longest, isAbsolute || names.count == 1,
            names.allSatisfy({ Self.isName($0) })
        else { return nil }
        self.init(layer: layer.index, path: path, isAbsolute: isAbsolute)
    }

    /// In bytes: XATTR_SIZE_MAX of <linux/limits.h>.
    private static var longest: Int { 65536 }
    static var slash: UInt8 { 0x2f }

    private static func isName(_ name: ArraySlice<UInt8>) -> Bool {
        let dot = UInt8(ascii: ".")
        return !name.isEmpty && name.count <= longestName && !name.contains(0) && !name.elementsEqual([dot])
            && !name.elementsEqual([dot, dot])
    }

    var names: [ArraySlice<UInt8>] { path.split(separator: Self.slash) }

    /// The path after the mark, if the mark is met on the way to something else. `above` leads to what is
    /// marked.
    func applied(to above: [UInt8], isAbsolute: Bool) -> (path: [UInt8], isAbsolute: Bool) {
        if self.isAbsolute { return (path, true) }
        return (above.isEmpty ? path : above + [Self.slash] + path, isAbsolute)
    }
}

/// The file that has the data of a metacopy.
final class RedirectedData: Sendable {
    let layer: Layer
    /// The path from the layer's root.
    let path: [UInt8]
    /// How many blocks of 512 bytes the data takes.
    let blocks: UInt64

    init(_ layer: Layer, _ path: [UInt8], blocks: UInt64) {
        self.layer = layer
        self.path = path
        self.blocks = blocks
    }
}
