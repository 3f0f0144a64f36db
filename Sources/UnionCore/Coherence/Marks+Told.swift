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

extension Survey {
    /// The lowest layer that may back the object's entries, if it is a directory: the marks on it say, or those
    /// above.
    func floor(in directory: Node) -> Int { lastLayer ?? directory.floor }

    /// Of the real objects that make the object up, what is marked on them, and its floor. Neither 0 nor
    /// `madeOfOthers`.
    func layersMark(in directory: Node) -> UInt64 { layersMark(floor: floor(in: directory)) }

    /// The same with a floor that was asked for before, as it may change; without one layer's, if that is wanted.
    func layersMark(floor: Int, without layer: Layer? = nil) -> UInt64 {
        var start = MarkBuilder()
        start.add(UInt64(truncatingIfNeeded: floor))
        return visible.reduce(start.value >> 1 | 1 << 63) { mark, standing in
            standing.layer === layer ? mark : mark ^ standing.mark >> 1
        }
    }

    /// In a mark's place: the directory is no longer made of what it was told with.
    static var madeOfOthers: UInt64 { 1 }
}

extension Survey {
    /// The same, whatever is marked on them.
    var backingsMark: UInt64 {
        visible.reduce(0) { $0 ^ mark(of: $1.status, in: $1.layer, marks: []) }
    }
}

extension DirectoryView {
    /// What `Survey.backingsMark` is for the directory that the view is of.
    func backingsMark() throws(Errno) -> UInt64 {
        var result: UInt64 = 0
        for backing in backings {
            result ^= mark(of: try backing.directory.status(), in: backing.layer, marks: [])
        }
        return result
    }
}

extension Standing {
    fileprivate var mark: UInt64 { UnionCore.mark(of: status, in: layer, marks: marks) }
}

private func mark(of status: FileStatus, in layer: Layer, marks: Marks) -> UInt64 {
    var mark = MarkBuilder()
    mark.add(UInt64(layer.index) << 8 | UInt64(marks.rawValue))
    mark.add(status.device)
    mark.add(status.inode)
    // A copy-up gives an overlay's object another birth.
    if layer.filesystem.type != .overlay { mark.add(status.born) }
    return mark.value
}

private struct MarkBuilder {
    var value: UInt64 = 0x9e37_79b9_7f4a_7c15

    mutating func add(_ word: UInt64) {
        value = (value ^ word) &* 0xff51_afd7_ed55_8ccd
        value ^= value >> 32
    }

    mutating func add(_ time: Timestamp) {
        add(UInt64(bitPattern: time.seconds))
        add(UInt64(time.nanoseconds))
    }
}
