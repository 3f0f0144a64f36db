/// Names as the kernel takes them, laid out before anything is timed.
@safe struct NameList: Sendable {
    private let bytes: [CChar]
    private let starts: [Int]

    init(_ names: [String]) {
        var bytes: [CChar] = []
        var starts: [Int] = []
        for name in names {
            starts.append(bytes.count)
            bytes.append(contentsOf: name.utf8.map { CChar(bitPattern: $0) })
            bytes.append(0)
        }
        self.bytes = bytes
        self.starts = starts
    }

    var count: Int { starts.count }

    /// How many names `body` holds for.
    func count(where body: (UnsafePointer<CChar>) -> Bool) -> Int {
        unsafe bytes.withUnsafeBufferPointer { buffer in
            guard let base = buffer.baseAddress else { return 0 }
            var count = 0
            for start in starts where unsafe body(base + start) { count += 1 }
            return count
        }
    }

    /// The same over this list and another of the same length, name by name.
    func count(
        with other: NameList, where body: (UnsafePointer<CChar>, UnsafePointer<CChar>) -> Bool
    ) -> Int {
        unsafe other.bytes.withUnsafeBufferPointer { buffer in
            guard let base = buffer.baseAddress else { return 0 }
            var index = 0
            return unsafe count { name in
                defer { index += 1 }
                return unsafe body(name, base + other.starts[index])
            }
        }
    }
}
