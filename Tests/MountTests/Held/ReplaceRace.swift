import Glibc
import SwitchTestKit
import Synchronization
import SystemPackage

/// Readers of names that are there all the time, and one who replaces what is under them as fast as he can.
final class ReplaceRace: Sendable {
    /// What readers use.
    struct Name: Sendable {
        var path: TestPath
        /// A directory that is replaced has a file `inside`; empty: it has none, or this is a file.
        var inside: TestPath = ""
        var isDirectory = false

        static func file(_ path: TestPath) -> Name { Name(path: path) }
        static func directory(_ path: TestPath, holding inside: TestPath = "") -> Name {
            Name(path: path, inside: inside, isDirectory: true)
        }
    }

    /// What each file holds: one letter, so that two files mixed up are seen.
    static func text(_ number: Int) -> String {
        String(repeating: "\(number % 10)", count: 4096)
    }

    static var duration: Double { Double(Machine.environment("SWITCHFS_RACE_SECONDS") ?? "") ?? 2 }

    private let union: TestPath
    private let turnstile = Turnstile()
    private let changes = Atomic<Int>(0)
    private let found = Mutex<[String: Int]>([:])

    init(in union: TestPath) {
        self.union = union
    }

    var complaints: [String: Int] { found.withLock { $0 } }
    var summary: String { "\(changes.load(ordering: .relaxed)) changes, \(turnstile.steps) looks" }

    func run(
        _ names: [Name], seconds: Double = duration, replace: @escaping @Sendable (Int) throws -> Void
    ) throws {
        try together(
            (0..<4).map { number in
                { @Sendable [self] in
                    var turn = number
                    var kept: [Handle] = []
                    turnstile.run {
                        turn += 1
                        read(names[turn % names.count], turn / names.count, &kept)
                    }
                }
            } + [
                { @Sendable [self] in
                    defer { turnstile.end() }
                    let deadline = Deadline(seconds)
                    var number = 0
                    while !deadline.passed {
                        number += 1
                        try replace(number)
                    }
                    changes.store(number, ordering: .relaxed)
                }
            ])
    }

    private func read(_ name: Name, _ turn: Int, _ kept: inout [Handle]) {
        let path = union / name.path
        if name.isDirectory, turn % 2 == 0 { return readDirectory(path, name, turn / 2, &kept) }
        if name.isDirectory, name.inside == "" {
            return note("stat of a directory") { _ = try Sys.facts(path) }
        }
        readFile(name.isDirectory ? path / name.inside : path, turn / 2, &kept)
    }

    /// Listings are slow, and so rare: a replaced file is met between two calls.
    private func readFile(_ path: TestPath, _ turn: Int, _ kept: inout [Handle]) {
        switch turn % 16 {
        case 0: note("listing") { _ = try Sys.list(path.parent) }
        case 1: keep(path, O_RDONLY, &kept)
        default:
            note("open and read") {
                let handle = try Sys.open(path)
                let bytes = try handle.read()
                let isWhole = bytes.count == 4096 && bytes.first == bytes.last
                if !isWhole { throw FixtureError("\(bytes.count) bytes") }
                _ = try handle.facts()
            }
            note("stat") { _ = try Sys.facts(path) }
        }
    }

    private func readDirectory(_ path: TestPath, _ name: Name, _ turn: Int, _ kept: inout [Handle]) {
        switch turn % 3 {
        case 0: note("stat of a directory") { _ = try Sys.facts(path) }
        case 1: note("listing of a directory") { try list(path) }
        default: keep(path, O_RDONLY | Flag.directory, &kept)
        }
    }

    /// What was replaced since it was opened is removed, and for the kernel that is ENOENT, for programs the end.
    private func list(_ path: TestPath) throws {
        let reader = try ListingReader(path)
        let error = failure { _ = try reader.rest() }
        if let error, error != .noSuchFileOrDirectory { throw error }
    }

    /// Handles work on, whatever has become of the name.
    private func keep(_ path: TestPath, _ flags: Int32, _ kept: inout [Handle]) {
        note("open") {
            if kept.count > 3 { kept.removeFirst() }
            kept.append(try Sys.open(path, flags))
        }
        for handle in kept { note("fstat") { _ = try handle.facts() } }
    }

    private func note(_ what: String, _ body: () throws -> Void) {
        do {
            try body()
        } catch {
            let words = (error as? Errno)?.name ?? "\(error)"
            found.withLock { $0["\(what): \(words)", default: 0] += 1 }
        }
    }
}
