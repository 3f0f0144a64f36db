/// An open-addressing hash table of numbers that stand for values kept elsewhere. It takes some four bytes a
/// value, and holds no keys.
///
/// 0 is an empty cell and no number. The user of the table says what a number stands for, and which hash that
/// has.
@frozen
public struct NumberTable<Number: FixedWidthInteger & Sendable>: Sendable {
    /// Their number is a power of two, or 0.
    @usableFromInline var cells: [Number] = []
    @usableFromInline var count = 0

    @inlinable
    public init() {}

    /// The first number of that hash for which `matches` holds. `matches` may get numbers of other hashes,
    /// too. nil: there is none.
    @inlinable
    public func first(_ hash: UInt64, where matches: (Number) -> Bool) -> Number? {
        cell(hash, where: matches).map { cells[$0] }
    }

    /// Calls `body` with every number of that hash, and perhaps with others.
    @inlinable
    public func forEach(_ hash: UInt64, _ body: (Number) -> Void) {
        _ = cell(hash) { number in
            body(number)
            return false
        }
    }

    /// Adds a number that isn't in the table. `hashOf` gives the hash of any number in it. nil: that number
    /// isn't looked for any more.
    @inlinable
    public mutating func insert(_ number: Number, _ hash: UInt64, hashOf: (Number) -> UInt64?) {
        if (count + 1) * 4 > cells.count * 3 { grow(hashOf) }
        count += 1
        put(number, hash)
    }

    /// Takes the number out, if it is in the table. `hashOf` gives the hash of any number in it.
    @inlinable
    public mutating func remove(_ number: Number, _ hash: UInt64, hashOf: (Number) -> UInt64?) {
        guard var hole = cell(hash, where: { $0 == number }) else { return }
        count -= 1
        guard count > 0 else {
            cells = []
            return
        }
        let mask = cells.count - 1
        var next = (hole + 1) & mask
        // A number that was moved on from the hole's cell or an earlier one moves back, so that searches
        // needn't go on.
        while cells[next] != 0 {
            if let hash = hashOf(cells[next]), (next - home(hash)) & mask >= (next - hole) & mask {
                cells[hole] = cells[next]
                hole = next
            }
            next = (next + 1) & mask
        }
        cells[hole] = 0
    }

    @inlinable
    func cell(_ hash: UInt64, where matches: (Number) -> Bool) -> Int? {
        guard !cells.isEmpty else { return nil }
        var cell = home(hash)
        while cells[cell] != 0 {
            if matches(cells[cell]) { return cell }
            cell = (cell + 1) & (cells.count - 1)
        }
        return nil
    }

    @inlinable
    func home(_ hash: UInt64) -> Int { Int(truncatingIfNeeded: hash) & (cells.count - 1) }

    @inlinable
    mutating func put(_ number: Number, _ hash: UInt64) {
        var cell = home(hash)
        while cells[cell] != 0 { cell = (cell + 1) & (cells.count - 1) }
        cells[cell] = number
    }

    @inlinable
    mutating func grow(_ hashOf: (Number) -> UInt64?) {
        let old = cells
        cells = [Number](repeating: 0, count: max(8, old.count * 2))
        for number in old where number != 0 {
            if let hash = hashOf(number) { put(number, hash) }
        }
    }
}
