/// The places of a node but for the one where it was seen last: added, taken out and found in
/// constant time, however many there are. Few of them need no table.
struct OtherPlaces {
    private static let mostWithoutTable = 8

    /// In no order; the last one was added last, or took the room of one that went.
    private(set) var all: [Place] = []
    /// Where each is in `all`; empty as long as there are few.
    private var positions: [ObjectIdentifier: Int] = [:]

    var isEmpty: Bool { all.isEmpty }

    /// Does nothing where it is there already.
    mutating func add(_ place: Place) {
        guard position(of: place) == nil else { return }
        all.append(place)
        if !positions.isEmpty {
            positions[place.key] = all.count - 1
        } else if all.count > Self.mostWithoutTable {
            for (position, place) in all.enumerated() { positions[place.key] = position }
        }
    }

    /// False: it isn't there.
    @discardableResult
    mutating func remove(_ place: Place) -> Bool {
        guard let position = position(of: place), let last = all.popLast() else { return false }
        if !positions.isEmpty { positions[place.key] = nil }
        if position < all.count {
            all[position] = last
            if !positions.isEmpty { positions[last.key] = position }
        }
        if all.isEmpty { self = OtherPlaces() }
        return true
    }

    mutating func takeLast() -> Place? {
        guard let last = all.last else { return nil }
        remove(last)
        return last
    }

    private func position(of place: Place) -> Int? {
        positions.isEmpty ? all.firstIndex { $0.isSame(as: place) } : positions[place.key]
    }
}
