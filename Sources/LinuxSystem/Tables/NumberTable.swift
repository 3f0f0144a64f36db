/// An open-addressing hash table of numbers that stand for things kept elsewhere: four bytes or so a thing, and no key.
///
/// 0 is an empty cell and no number. The user of the table says what a number stands for, and which hash that has.
@frozen
public struct NumberTable<Number: FixedWidthInteger & Sendable>: Sendable {
    /// As many as a power of two, or none.
    @usableFromInline var cells: [Number] = []
    @usableFromInline var count = 0

    @inlinable
    public init() {}

    /// The first number of that hash for which `matches` holds; others of that hash may be asked for, too.
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

    /// Adds a number that isn't in the table. `hashOf`: the hash of any number in it; nil: nothing asks for that number any
    /// more.
    @inlinable
    public mutating func insert(_ number: Number, _ hash: UInt64, hashOf: (Number) -> UInt64?) {
        if (count + 1) * 4 > cells.count * 3 { grow(hashOf) }
        count += 1
        put(number, hash)
    }

    /// Takes the number out, if it is in the table.
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
        // What was moved on from the hole's cell or one before it moves back, so that searches needn't go on.
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
