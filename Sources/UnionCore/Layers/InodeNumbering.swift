internal import LinuxSystem
internal import Synchronization

/// Makes the union's inode numbers from the layers' own.
///
/// A number is the real one with the filesystem's index in the high bits. The first layer's filesystem has
/// index 0, so its numbers stay as they are. A real number that needs the high bits itself, or an index that
/// doesn't fit, gets a number from a table.
final class InodeNumbering: Sendable {
    /// How many bits of a real number are taken as they are.
    private static let realBits: UInt64 = 48
    /// Numbers with the top bit set come from the table.
    private static let tableMark: UInt64 = 1 << 63
    private static let largestIndex = (1 << 15) - 1

    private struct RealNumber: Hashable {
        let filesystem: Int
        let inode: UInt64
    }

    private struct Table {
        var numbers: [RealNumber: UInt64] = [:]
        var taken: Set<UInt64> = []
    }

    /// Whether all layers are on one filesystem: its numbers are taken as they are, whatever they are.
    private let isSingle: Bool
    private let table = Mutex(Table())

    init(isSingle: Bool) { self.isSingle = isSingle }

    /// The union's number for the real `inode` on the filesystem with that index.
    func number(of inode: UInt64, filesystem: Int) -> UInt64 {
        if isSingle && filesystem == 0 { return inode }
        guard inode >> Self.realBits == 0 && filesystem <= Self.largestIndex else {
            return tableNumber(of: RealNumber(filesystem: filesystem, inode: inode))
        }
        return UInt64(filesystem) << Self.realBits | inode
    }

    /// A hash of the real number, or the next free one. It doesn't change at a remount, unless two collide.
    private func tableNumber(of real: RealNumber) -> UInt64 {
        table.withLock { table in
            if let number = table.numbers[real] { return number }
            var number = (real.inode ^ UInt64(real.filesystem) << 56).mixed | Self.tableMark
            while !table.taken.insert(number).inserted { number = (number &+ 1) | Self.tableMark }
            table.numbers[real] = number
            return number
        }
    }
}
