/// A map of each key to its values, of which there is nearly always one: that one lies in a dictionary of
/// its own without any further allocation, and what is more than one aside.
struct Multimap<Key: Hashable, Value: Equatable> {
    private var firsts = ShardedDictionary<Key, Value>()
    private var others: [Key: [Value]] = [:]

    /// A key's values; `others` may be empty.
    struct Values {
        let first: Value
        let others: [Value]
    }

    var keyCount: Int { firsts.count }

    subscript(key: Key) -> Values? {
        guard let first = firsts[key] else { return nil }
        return Values(first: first, others: others.isEmpty ? [] : others[key] ?? [])
    }

    /// Adds the value unless it is there already.
    mutating func insert(_ value: Value, for key: Key) {
        guard let first = firsts[key] else { return firsts.set(value, for: key) }
        if first == value || others[key]?.contains(value) == true { return }
        others[key, default: []].append(value)
    }

    /// Removes the key's values that match. True when the key has none left.
    mutating func remove(for key: Key, where matches: (Value) -> Bool) -> Bool {
        if !others.isEmpty { removeOthers(for: key, where: matches) }
        guard let first = firsts[key] else { return true }
        guard matches(first) else { return false }
        if let next = takeOther(for: key) {
            firsts.set(next, for: key)
            return false
        }
        _ = firsts.remove(key)
        return true
    }

    /// Removes the key, and returns the values it had.
    mutating func removeAll(for key: Key) -> Values? {
        guard let first = firsts.remove(key) else { return nil }
        let rest = others.isEmpty ? nil : others.removeValue(forKey: key)
        return Values(first: first, others: rest ?? [])
    }

    private mutating func removeOthers(for key: Key, where matches: (Value) -> Bool) {
        others[key]?.removeAll(where: matches)
        dropIfEmpty(key)
    }

    private mutating func takeOther(for key: Key) -> Value? {
        guard !others.isEmpty else { return nil }
        let value = others[key]?.popLast()
        dropIfEmpty(key)
        return value
    }

    private mutating func dropIfEmpty(_ key: Key) {
        if others[key]?.isEmpty == true { others[key] = nil }
    }
}
