/// A dictionary in parts, so that growing stops the others for the time that a part takes: a whole one of
/// 200,000 entries needs 20 ms. A part that was large gives its memory back when it is empty.
struct ShardedDictionary<Key: Hashable, Value> {
    private static var shardCount: Int { 64 }

    private var shards = [[Key: Value]](repeating: [:], count: shardCount)
    private(set) var count = 0

    subscript(key: Key) -> Value? { shards[shard(of: key)][key] }

    mutating func set(_ value: Value, for key: Key) {
        if shards[shard(of: key)].updateValue(value, forKey: key) == nil { count += 1 }
    }

    mutating func remove(_ key: Key) -> Value? {
        let index = shard(of: key)
        guard let value = shards[index].removeValue(forKey: key) else { return nil }
        count -= 1
        if shards[index].isEmpty && shards[index].capacity > 64 { shards[index] = [:] }
        return value
    }

    private func shard(of key: Key) -> Int {
        // Not negative, for the number of shards is a power of two.
        key.hashValue & (ShardedDictionary.shardCount - 1)
    }
}
