internal import LinuxSystem
internal import SystemPackage

/// The files that a part of a listing reports as LOOKUP would, for a caller that looks at each file that it
/// lists. They are kept until the answer was sent: then those get watches for which their directory's doesn't do.
///
/// Directories aren't among them: the kernel has each at only one place, and to report one takes several
/// looks.
struct ListedFiles: ~Copyable {
    /// The most files of one answer: the kernel holds the directory's lock until it has the answer.
    static let most = 256

    /// The nodes that were reported, with a lookup count on each.
    private var nodes: [NodeID] = []
    private var watches: [DeferredWatch] = []
    /// One turn, as for a LOOKUP: a caller that waits for it waits for all of these files.
    private let turn: DeferredWatches.Turn
    private let reporting: Reporting
    fileprivate let caller: CallerIdentity
    /// When the files' watches are set.
    fileprivate let watching: Reporting.FileWatch

    init(of reporting: Reporting, for caller: CallerIdentity, _ habit: ListingHabit) {
        self.reporting = reporting
        self.caller = caller
        watching = habit == .removes ? .never : .deferred
        turn = reporting.coherence.deferredWatches.begin()
    }

    deinit {
        for watch in watches { reporting.setDeferredWatch(watch) }
    }

    var count: Int { nodes.count }

    fileprivate mutating func add(_ found: NameReport) {
        nodes.append(found.entry.node)
        if let watch = found.deferredWatch { watches.append(watch) }
    }

    /// Sets the watches, as the answer was sent.
    consuming func finish() {}

    /// Forgets the files, as the answer reached no client.
    consuming func takeBack() {
        watches = []
        for node in nodes {
            reporting.forget(node, count: 1)
            // The kernel may know it by other names, and not by the one that it was listed by.
            for alias in reporting.table.find(node)?.aliases ?? [] {
                reporting.takeBack(alias.name, in: alias.parent)
            }
        }
    }
}

extension Listings {
    /// Emits an item of a listing, with its file if it is one.
    func emitWithFile(
        _ item: DirectoryItem, of directory: Node, _ view: borrowing DirectoryView,
        _ files: inout ListedFiles, _ emit: (DirectoryItem, Entry?) -> Bool
    ) -> Bool {
        if files.count == ListedFiles.most { return false }
        guard let file = try? file(item, of: directory, view, files) else { return emit(item, nil) }
        return add(file, as: item, of: directory, to: &files, emit)
    }

    /// Emits an item with its file if it is one, and the kernel knows nothing by its name. False: there is no
    /// room for more.
    func emitAhead(
        _ item: DirectoryItem, of directory: Node, _ view: borrowing DirectoryView,
        _ files: inout ListedFiles, _ emit: (DirectoryItem, Entry?) -> Bool
    ) -> Bool {
        if files.count == ListedFiles.most { return false }
        guard directory.reported(item.name) == nil, let file = try? file(item, of: directory, view, files)
        else { return true }
        return add(file, as: item, of: directory, to: &files, emit)
    }

    /// A file that was found. `isNew`: the kernel knew nothing by its name.
    private typealias FoundFile = (report: NameReport, isNew: Bool)

    private func add(
        _ file: FoundFile, as item: DirectoryItem, of directory: Node, to files: inout ListedFiles,
        _ emit: (DirectoryItem, Entry?) -> Bool
    ) -> Bool {
        guard emit(item, file.report.entry) else {
            takeBack(file.report, isNew: file.isNew, item.name, in: directory)
            return false
        }
        files.add(file.report)
        return true
    }

    /// The kernel isn't told of the name. `report`: what was reported in the end, if anything.
    private func takeBack(_ report: NameReport?, isNew: Bool, _ name: PathRef, in directory: Node) {
        if let report { reporting.forget(report.entry.node, count: 1) }
        if isNew { reporting.takeBack(name, in: directory) }
    }

    /// What is reported of the item's file. nil: the item isn't a file, or has just gone.
    private func file(
        _ item: DirectoryItem, of directory: Node, _ view: borrowing DirectoryView,
        _ files: borrowing ListedFiles
    ) throws(Errno) -> FoundFile? {
        let name = item.name
        if item.kind == .directory || name.isDots { return nil }
        let lookup = try resolver.lookup(view, name, in: directory, filtered: true)
        guard lookup.owner?.isDirectory == false else { return nil }
        let reported = directory.reported(name)
        // The kernel takes this in whatever LOOKUP tells it meanwhile: it must not put one file over another.
        if let reported,
            lookup.owner.map({ table.find(resolver.identity(of: $0))?.id == reported.node }) != true
        {
            return nil
        }
        try agents.checkSight(lookup, name, in: directory, files.caller)
        let isNew = reported == nil
        let found = try? reporting.find(lookup, name, in: directory, view, watches: files.watching)
        if let found, found.isFile { return (found, isNew) }
        // A stranger has put a directory there meanwhile, or taken the file away.
        takeBack(found, isNew: isNew, name, in: directory)
        return nil
    }
}
