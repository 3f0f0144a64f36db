import UnionCore

/// A directory of the upper whose lower directory has gone, as `switchfs orphans` shows it.
///
/// The names in its JSON are stable: later versions add names and take none away.
public struct Orphan: Codable, Sendable, Equatable {
    /// Names it to the calls that restore and purge it; the same at the next mount. Its inode number in the upper.
    public var id: String
    /// Where it is or was, from the union's root.
    public var path: String
    /// The lower directory that it belongs to: its layer, and what it was there.
    public var origin: String
    /// How many files and directories it holds, at any depth.
    public var entries: Int

    /// An orphan of these parts; see them.
    public init(id: String, path: String, origin: String, entries: Int) {
        self.id = id
        self.path = path
        self.origin = origin
        self.entries = entries
    }
}

extension Orphan {
    init(_ record: OrphanRecord) {
        self.init(id: record.id, path: "/" + record.path, origin: record.origin, entries: record.entries)
    }
}

/// Orphans for people and scripts: a line each, its fields separated by tabs.
public enum OrphanText {
    /// A line for each: id, path, origin, entries. Tabs, line ends and backslashes in paths are written in octal, as in
    /// `/proc/self/mountinfo`.
    public static func lines(_ orphans: [Orphan]) -> [String] {
        orphans.map { orphan in
            [orphan.id, escape(orphan.path), escape(orphan.origin), String(orphan.entries)]
                .joined(separator: "\t")
        }
    }

    /// As /proc/self/mountinfo writes what would end a field or a line.
    private static func escape(_ text: String) -> String {
        var result = ""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\t": result += "\\011"
            case "\n": result += "\\012"
            case "\\": result += "\\134"
            default: result.unicodeScalars.append(scalar)
            }
        }
        return result
    }
}
