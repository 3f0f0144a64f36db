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

extension Survey {
    /// Of the real directories that back the object.
    var layersMark: UInt64 {
        var mark = MarkBuilder()
        for standing in visible { mark.add(standing.layer, standing.status) }
        return mark.value
    }

    /// Of those beside the owner that users see something of; 0 where there are none.
    ///
    /// A directory that comes to be backed by others is another node: what the kernel keeps below the old
    /// one may be in use, and wouldn't go with its name. Skeletons are the union's own doing, and don't count.
    var companionsMark: UInt32 {
        var mark = MarkBuilder()
        var count = 0
        for standing in visible where !standing.marks.contains(.skeleton) {
            guard standing.layer !== owner?.layer else { continue }
            mark.add(standing.layer, standing.status)
            count += 1
        }
        return count == 0 ? 0 : UInt32(truncatingIfNeeded: mark.value) | 1
    }
}

extension DirectoryView {
    /// As the survey's: of the real directories that back this one now.
    func layersMark() throws(Errno) -> UInt64 {
        var mark = MarkBuilder()
        for backing in backings { mark.add(backing.layer, try backing.directory.status()) }
        return mark.value
    }
}

private struct MarkBuilder {
    var value: UInt64 = 0x9e37_79b9_7f4a_7c15

    mutating func add(_ word: UInt64) {
        value = (value ^ word) &* 0xff51_afd7_ed55_8ccd
        value ^= value >> 32
    }

    mutating func add(_ layer: Layer, _ status: FileStatus) {
        add(UInt64(layer.index))
        add(status.device)
        add(status.inode)
        if layer.filesystem.type != .overlay { add(status.born) }
    }

    mutating func add(_ time: Timestamp) {
        add(UInt64(bitPattern: time.seconds))
        add(UInt64(time.nanoseconds))
    }
}
