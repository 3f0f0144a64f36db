internal import LinuxSystem

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
    /// Of the layers that back the object.
    var layersMark: UInt64 {
        var mark = MarkBuilder()
        for standing in visible {
            mark.add(UInt64(standing.layer.index) << 8 | UInt64(standing.marks.rawValue))
        }
        return mark.value
    }
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
