internal import LinuxSystem
internal import SystemPackage

/// A rename that takes several steps, as it is written down before anything moves. The record is enough to
/// finish the rename or to undo it at the next mount, whatever of it was done. Several steps are needed for
/// merged directories, for what must be marked first, and for any object if something else has to go from one
/// of the two names, or to be covered.
///
/// Real directories are known by what they are (`OriginRecord`) and not by where a layer is: the next mount
/// may give layers in another order, or by other paths.
struct RenameRecord: Equatable {
    /// The two paths in the union.
    let from: [UInt8]
    let to: [UInt8]
    /// The layers' directories that move, or the one object.
    var parts: [OriginRecord] = []
    /// The part that was marked as complete for this rename.
    var completed: OriginRecord?
    /// What may stand under the old name in a layer when the parts have moved, and must go.
    var remains: [OriginRecord] = []
    /// What stands above the object under the new name, and must go when the object has moved.
    var above: [OriginRecord] = []
    /// The name in the staging directory of what the upper had under the new name.
    var aside: [UInt8]?
    /// Whether a whiteout is to cover the old name.
    var isCovered = false
}

// A line is a word and a value, as in a `MarkLog`. If the last line is missing, a crash cut the record off:
// then nothing has moved.
extension RenameRecord {
    private static let header = "switchfs-rename 1"
    private static let end = "end"

    var bytes: [UInt8] {
        var text = Array((Self.header + "\n").utf8)
        func add(_ word: String, _ value: [UInt8]) {
            text += Array(word.utf8) + [0x09] + MarkLog.Line.escape(value) + [0x0a]
        }
        add("from", from)
        add("to", to)
        for part in parts { add("part", Array(part.text.utf8)) }
        if let completed { add("completed", Array(completed.text.utf8)) }
        for remain in remains { add("remain", Array(remain.text.utf8)) }
        for object in above { add("above", Array(object.text.utf8)) }
        if let aside { add("aside", aside) }
        if isCovered { add("cover", []) }
        return text + Array((Self.end + "\n").utf8)
    }

    init?(decoding bytes: [UInt8]) {
        let lines = bytes.split(separator: 0x0a).map {
            $0.split(separator: 0x09, maxSplits: 1, omittingEmptySubsequences: false)
        }
        guard lines.first?.first.map({ String(decoding: $0, as: UTF8.self) }) == Self.header,
            lines.last?.first.map({ String(decoding: $0, as: UTF8.self) }) == Self.end
        else { return nil }
        var values: [String: [[UInt8]]] = [:]
        for line in lines where line.count == 2 {
            values[String(decoding: line[0], as: UTF8.self), default: []].append(
                MarkLog.Line.unescape(line[1]))
        }
        guard let from = values["from"]?.first, let to = values["to"]?.first else { return nil }
        self.init(from: from, to: to)
        parts = (values["part"] ?? []).map { OriginRecord(decoding: $0) }
        completed = values["completed"]?.first.map { OriginRecord(decoding: $0) }
        remains = (values["remain"] ?? []).map { OriginRecord(decoding: $0) }
        above = (values["above"] ?? []).map { OriginRecord(decoding: $0) }
        aside = values["aside"]?.first
        isCovered = values["cover"] != nil
    }
}

/// The record of a rename under way that was written down.
struct WrittenRename: ~Copyable {
    private let journal: OwnedDescriptor
    private let name: [UInt8]

    /// Writes the record down, and syncs it. EROFS: there is no place for it.
    init(_ record: RenameRecord, in work: WorkArea) throws(Errno) {
        let journal = try work.journal(create: true)
        let name = work.recordName()
        try RenameJournal.write(record, as: name, in: journal.descriptor)
        self.journal = journal
        self.name = name
    }

    /// Removes the record: the rename is through, or nothing of it was done.
    func erase() {
        let name = OwnedName(name)
        try? journal.descriptor.unlink(at: name.ref)
    }

    /// The device number of the record's filesystem. What is done on that filesystem before the record's end
    /// is on disk before the end is.
    var device: UInt64? { (try? journal.descriptor.status())?.device }
}

/// The files that hold such records, one each, in the work area.
enum RenameJournal {
    /// The beginning of their names.
    static var prefix: PathRef { "rename-" }

    /// Writes a record down, and syncs it.
    static func write(
        _ record: RenameRecord, as name: [UInt8], in directory: FileDescriptor
    ) throws(Errno) {
        let name = OwnedName(name)
        let flags: OpenFlags = [.writeOnly, .create, .exclusive, .noFollow]
        let file = try directory.openBeneath(name.ref, flags: flags, mode: 0o600)
        do {
            try file.descriptor.writeForGood(record.bytes)
        } catch {
            try? directory.unlink(at: name.ref)
            throw error
        }
    }

    /// All records that are there. A nil record was cut off.
    static func read(in directory: FileDescriptor) -> [(name: [UInt8], record: RenameRecord?)] {
        var stream = DirectoryStream(reading: directory)
        var names: [[UInt8]] = []
        while let entry = try? stream.next() {
            if entry.name.hasPrefix(prefix) { names.append(entry.name.array) }
        }
        return names.map { ($0, record(in: $0, directory)) }
    }

    private static func record(in name: [UInt8], _ directory: FileDescriptor) -> RenameRecord? {
        let name = OwnedName(name)
        guard let file = try? directory.openBeneath(name.ref, flags: [.readOnly, .noFollow]),
            let bytes = try? file.descriptor.readToEnd()
        else { return nil }
        return RenameRecord(decoding: bytes)
    }
}
