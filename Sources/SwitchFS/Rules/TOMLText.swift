/// A place in a text, counted from 1; columns are Unicode scalars.
struct TextPosition: Equatable {
    var line: Int
    var column: Int
}

/// What is wrong with a TOML text, and where.
struct TOMLProblem: Error {
    let place: TextPosition
    let message: String
}

/// A value as it is written. Only what a rules file can hold is told apart: numbers with a fraction, dates and
/// truth values are all `other`, and so is a table that is put together from dotted keys.
struct TOMLValue {
    enum Kind {
        case string(String)
        case integer(Int)
        case list([TOMLValue])
        case table([TOMLEntry])
        case other
    }

    let place: TextPosition
    var kind: Kind

    var string: String? { if case .string(let text) = kind { text } else { nil } }
    var integer: Int? { if case .integer(let number) = kind { number } else { nil } }
    var list: [TOMLValue]? { if case .list(let values) = kind { values } else { nil } }
    var table: [TOMLEntry]? { if case .table(let entries) = kind { entries } else { nil } }
}

struct TOMLEntry {
    let key: String
    let place: TextPosition
    var value: TOMLValue
}

/// Reads TOML, for files whose tables are all in lists of the root: `[[name]]` and keys with values.
///
/// A reader of our own, for it reads what people type: each error has its place, and none ends the process.
struct TOMLText {
    private var scanner: TOMLScanner
    private var root: [TOMLEntry] = []
    /// What keys belong to: the last table of the root's list with this index; nil: the root itself.
    private var list: Int?
    /// The header names a table that can't be told: its keys are read, and lost.
    private var isElsewhere = false

    private init(_ text: String) { scanner = TOMLScanner(text) }

    /// The root's entries.
    static func read(_ text: String) throws(TOMLProblem) -> [TOMLEntry] {
        var reader = TOMLText(text)
        try reader.read()
        return reader.root
    }

    private mutating func read() throws(TOMLProblem) {
        while true {
            try scanner.skipBlankLines()
            guard let next = scanner.next else { return }
            if next == "[" {
                try readHeader()
            } else {
                try add(scanner.readEntry())
            }
            try scanner.endLine()
        }
    }

    private mutating func readHeader() throws(TOMLProblem) {
        let place = scanner.place
        scanner.skip()
        let isList = scanner.take("[")
        scanner.skipBlanks()
        let keyPlace = scanner.place
        let keys = try scanner.readKeys()
        try scanner.expect("]", "closes the table's header")
        if isList { try scanner.expect("]", "closes the header of a list's table") }
        isElsewhere = !isList || keys.count > 1
        list = nil
        let index = root.firstIndex { $0.key == keys[0] }
        if isElsewhere {
            if index == nil { root.append(other(keys[0], keyPlace)) }
            return
        }
        let table = TOMLValue(place: place, kind: .table([]))
        guard let index else {
            list = root.count
            let tables = TOMLValue(place: place, kind: .list([table]))
            return root.append(TOMLEntry(key: keys[0], place: keyPlace, value: tables))
        }
        // A list that headers made begins before its key, at the bracket; one that is written out can't grow.
        let isOpen = root[index].value.place.column < root[index].place.column
        guard isOpen, let tables = root[index].value.list else {
            throw TOMLProblem(place: keyPlace, message: "'\(keys[0])' is something else already")
        }
        root[index].value.kind = .list(tables + [table])
        list = index
    }

    private func other(_ key: String, _ place: TextPosition) -> TOMLEntry {
        TOMLEntry(key: key, place: place, value: TOMLValue(place: place, kind: .other))
    }

    private mutating func add(_ entry: TOMLEntry) throws(TOMLProblem) {
        if isElsewhere { return }
        guard let list else { return try entry.join(&root) }
        guard var tables = root[list].value.list, var entries = tables.last?.table else { return }
        try entry.join(&entries)
        tables[tables.count - 1].kind = .table(entries)
        root[list].value.kind = .list(tables)
    }
}

extension TOMLEntry {
    /// Adds the entry to a table's, where its key must be new.
    func join(_ entries: inout [TOMLEntry]) throws(TOMLProblem) {
        if entries.contains(where: { $0.key == key }) {
            throw TOMLProblem(place: place, message: "key '\(key)' is given twice")
        }
        entries.append(self)
    }
}
