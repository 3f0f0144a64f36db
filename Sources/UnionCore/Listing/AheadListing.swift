internal import LinuxSystem
internal import Synchronization
internal import SystemPackage

// What a directory holds is told ahead by listing it through the mount: with a listing (READDIRPLUS) the kernel
// takes in names, attributes and nodes. All of it is told by the same rules as to a client that asks.

/// Lists directories through the mount, so that the kernel takes in their files before clients ask.
public protocol DirectoryTeller: Sendable {
    /// Has the directory listed soon, on another thread. It doesn't wait.
    func tell(_ directory: NodeID)
}

/// Files of one directory that are to be told ahead, the next part of it.
final class AheadListing: Sendable {
    /// Offsets of the listing through the mount. No kept listing has a name there, so the kernel asks.
    static let firstOffset: UInt64 = 1 << 61

    let directory: Node
    fileprivate let names: NameList
    /// Where the directory's listing goes on after the part. nil: this is its end.
    fileprivate let rest: UInt64?
    private let position = Atomic<Int>(0)
    private let told = Atomic<Int>(0)
    /// When its telling began, in nanoseconds.
    fileprivate let begun = monotonicNanoseconds()

    fileprivate init(_ directory: Node, _ names: NameList, rest: UInt64?) {
        self.directory = directory
        self.names = names
        self.rest = rest
    }

    /// The index of the next name. `names.count`: all were told.
    fileprivate var next: Int { position.load(ordering: .relaxed) }
    fileprivate var toldCount: Int { told.load(ordering: .relaxed) }

    fileprivate func go(to index: Int) { position.store(index, ordering: .relaxed) }
    fileprivate func noteTold(_ count: Int) { told.add(count, ordering: .relaxed) }
}

/// Names in a row.
struct NameList: Sendable {
    private var names = NameBytes()
    private var places: [(start: Int, count: Int)] = []

    var count: Int { places.count }

    mutating func append(_ name: PathRef) { places.append((names.append(name), name.count)) }

    /// Lends a name.
    func withName<R>(_ index: Int, _ body: (PathRef) -> R) -> R {
        names.withName(at: places[index].start, count: places[index].count, body)
    }
}

extension Listings {
    /// Notes that a client asked for a file of the directory.
    func noteLook(at name: PathRef, in directory: NodeID, by thread: Int32) {
        guard let teller = teller.withLock({ $0 }) else { return readdirPlus.noteLook(thread, directory) }
        // What is looked up to be told ahead no client has asked for.
        if tellsAhead(to: thread) { return }
        readdirPlus.noteLook(thread, directory)
        if ahead.noteLook(at: name, in: directory) { teller.tell(directory) }
    }

    /// Notes that a client lists the directory: with `ahead=always` its files are told.
    func noteListing(of directory: NodeID) {
        guard ahead.isForced, let teller = teller.withLock({ $0 }) else { return }
        if ahead.noteLook(at: "", in: directory) { teller.tell(directory) }
    }

    /// Whether it is the thread that lists what is told ahead now.
    func tellsAhead(to thread: Int32) -> Bool { aheadNow.withLock { $0?.thread == thread } }

    /// What is told ahead now, if the request is that of the thread that lists it.
    func aheadListing(of id: NodeID, for caller: CallerIdentity) -> AheadListing? {
        aheadNow.withLock { now in
            guard let now, now.thread == caller.pid, now.listing.directory.id == id else { return nil }
            return now.listing
        }
    }

    /// Begins to tell the next part of a directory. nil: there is nothing to tell.
    func beginAhead(_ id: NodeID) -> AheadListing? {
        guard ResourceLimits.hasMemoryToSpare, let (offset, count) = ahead.begin(id),
            let directory = table.find(id),
            let listing = try? makeAheadListing(of: directory, from: offset, count)
        else {
            ahead.end(id, next: nil, told: 0, took: 0)
            return nil
        }
        return listing
    }

    func endAhead(_ listing: AheadListing) {
        ahead.end(
            listing.directory.id, next: ahead.isChanging ? nil : listing.rest, told: listing.toldCount,
            took: monotonicNanoseconds() - listing.begun)
    }

    /// The next name to be told, to be looked up first: only after that the kernel takes files with a listing.
    func nextName(of listing: AheadListing) -> [UInt8]? {
        while listing.next < listing.names.count, !ahead.isChanging {
            let name: [UInt8]? = listing.names.withName(listing.next) { name in
                listing.go(to: listing.next + 1)
                return listing.directory.reported(name) == nil ? name.array : nil
            }
            if let name { return name }
        }
        return nil
    }

    private func makeAheadListing(
        of directory: Node, from offset: UInt64, _ count: Int
    ) throws(Errno) -> AheadListing? {
        let view = try resolver.view(of: directory)
        guard reporting.isKept(directory, as: view, begun: coherence.now) else { return nil }
        var names = NameList()
        var rest: UInt64?
        try eachItem(of: directory, view, from: offset) { item in
            guard names.count < count else { return false }
            rest = item.nextOffset
            let isNew =
                item.kind != .directory && !item.name.isDots && directory.reported(item.name) == nil
            if isNew, !ahead.leavesOut(item.name, of: directory.id) { names.append(item.name) }
            return true
        }
        return AheadListing(directory, names, rest: names.count < count ? nil : rest)
    }

    /// Lists on from the offset until `body` returns false.
    private func eachItem(
        of directory: Node, _ view: borrowing DirectoryView, from offset: UInt64,
        _ body: (DirectoryItem) -> Bool
    ) throws(Errno) {
        guard let backing = singleSource(of: view) else {
            return try list(.init(try listAsServer(view)), directory, from: offset, body)
        }
        var listing = PureListing(try openAsServer(backing), bufferSize: 64 * 1024)
        if offset != 0 { try listing.continue(at: offset) }
        var goesOn = true
        while goesOn {
            let hasMore = try stream(&listing, directory) { item in
                goesOn = body(item)
                return goesOn
            }
            if !hasMore { return }
        }
    }

    /// Lists files that are told ahead, as many as fit.
    func tellPart(
        of listing: AheadListing, _ caller: CallerIdentity, _ emit: (DirectoryItem, Entry?) -> Bool
    ) throws(Errno) -> ListingPart {
        let directory = listing.directory
        var view = try resolver.view(of: directory)
        try view.keepFingerprint()
        guard reporting.isKept(directory, as: view, begun: coherence.now) else {
            throw .noSuchFileOrDirectory
        }
        var files = ListedFiles(of: reporting, for: caller, .looks)
        try directory.lookingUp { () throws(Errno) in
            while listing.next < listing.names.count {
                let isEmitted = listing.names.withName(listing.next) { name in
                    let offset = AheadListing.firstOffset + UInt64(listing.next) + 1
                    let item = DirectoryItem(name: name, inode: 0, kind: nil, nextOffset: offset)
                    return emitAhead(item, of: directory, view, &files, emit)
                }
                guard isEmitted else { break }
                listing.go(to: listing.next + 1)
            }
        }
        listing.noteTold(files.count)
        // The client doesn't ask for these, but would have.
        readdirPlus.noteTold(directory.id, count: files.count)
        return ListingPart(node: directory.id, files: files)
    }
}
