internal import LinuxSystem
internal import SystemPackage

/// The files that a part of a listing tells of as LOOKUP would, for who looks at each file that he lists.
///
/// Directories aren't among them: the kernel has each at one place only, and to tell of one takes several looks.
struct ListedFiles: ~Copyable {
    /// Those told, with a lookup count on each.
    private(set) var nodes: [NodeID] = []
    fileprivate var watches: [LateWatch] = []
    /// As of one LOOKUP: who waits for that waits for all of these.
    private let turn: LateWatches.Turn

    init(_ turn: consuming LateWatches.Turn) { self.turn = turn }

    fileprivate mutating func add(_ found: Found) {
        nodes.append(found.entry.node)
        if let watch = found.lateWatch { watches.append(watch) }
    }
}

extension Union {
    /// Emits an item of a listing, with its file where it is one.
    func tell(
        _ item: DirectoryItem, of directory: Node, _ view: borrowing DirectoryView, _ habit: ListingHabit,
        _ files: inout ListedFiles, _ emit: (DirectoryItem, Entry?) -> Bool
    ) -> Bool {
        guard let found = listedFile(item, of: directory, view, habit) else { return emit(item, nil) }
        guard emit(item, found.entry) else {
            forget(found.entry.node, count: 1)
            return false
        }
        files.add(found)
        return true
    }

    /// nil: it isn't a file, or has just gone.
    private func listedFile(
        _ item: DirectoryItem, of directory: Node, _ view: borrowing DirectoryView, _ habit: ListingHabit
    ) -> Found? {
        if item.kind == .directory || item.name.isDots { return nil }
        let having = directories(of: view, having: item.name)
        guard let survey = try? survey(view, item.name, in: directory, having: having),
            survey.owner?.isDirectory == false
        else { return nil }
        return try? find(
            survey, item.name, in: directory, view, watches: habit == .removes ? .never : .late)
    }

    /// The answer was sent: what it told of is watched now.
    func finish(_ files: consuming ListedFiles) {
        for watch in files.watches { finish(watch) }
    }

    /// Nobody has got the answer.
    func takeBack(_ files: consuming ListedFiles) {
        for node in files.nodes { forget(node, count: 1) }
    }
}
