internal import LinuxSystem

/// The names of a directory that the kernel may know as objects, and their aliases: an open-addressing table.
///
/// It says what the kernel has: the kernel asks for a name only where it has nothing of it, so it has taken
/// in what was reported last. Where that isn't sure, the alias is contested.
struct ReportedNames {
    /// Their number is a power of two, or 0.
    private var cells: [NodeAlias?] = []
    private(set) var count = 0

    func find(_ name: PathRef) -> NodeAlias? { cell(of: name).flatMap { cells[$0] } }

    /// Sets the alias of its name. Returns the alias that had the name before.
    mutating func set(_ alias: NodeAlias) -> NodeAlias? {
        if let cell = cell(of: alias.name) {
            defer { cells[cell] = alias }
            return cells[cell]
        }
        if (count + 1) * 4 > cells.count * 3 { grow() }
        count += 1
        put(alias)
        return nil
    }

    @discardableResult
    mutating func remove(_ name: PathRef) -> NodeAlias? {
        guard let cell = cell(of: name) else { return nil }
        let removed = cells[cell]
        empty(cell)
        return removed
    }

    /// Takes this very alias out, but not another one of its name.
    mutating func remove(_ alias: NodeAlias) {
        guard let cell = cell(of: alias.name), cells[cell]?.isSame(as: alias) == true else { return }
        empty(cell)
    }

    var all: [NodeAlias] { cells.compactMap { $0 } }

    /// Empties a cell. An alias that was moved on from this cell or an earlier one moves back, so that
    /// searches needn't go on.
    private mutating func empty(_ cell: Int) {
        count -= 1
        guard count > 0 else {
            cells = []
            return
        }
        let mask = cells.count - 1
        var hole = cell
        var next = (hole + 1) & mask
        while let alias = cells[next] {
            if (next - home(alias.name)) & mask >= (next - hole) & mask {
                cells[hole] = alias
                hole = next
            }
            next = (next + 1) & mask
        }
        cells[hole] = nil
    }

    private func cell(of name: PathRef) -> Int? {
        guard !cells.isEmpty else { return nil }
        var cell = home(name)
        while let alias = cells[cell] {
            if alias.name == name { return cell }
            cell = (cell + 1) & (cells.count - 1)
        }
        return nil
    }

    private func home(_ name: PathRef) -> Int { Int(truncatingIfNeeded: name.hash) & (cells.count - 1) }

    private mutating func put(_ alias: NodeAlias) {
        var cell = home(alias.name)
        while cells[cell] != nil { cell = (cell + 1) & (cells.count - 1) }
        cells[cell] = alias
    }

    private mutating func grow() {
        let old = cells
        cells = [NodeAlias?](repeating: nil, count: max(4, old.count * 2))
        for alias in old { if let alias { put(alias) } }
    }
}
