import Glibc
import SwitchTestKit
import SystemPackage
import Testing

/// A directory that goes while somebody works in it or holds it: rule 2.7 of the contract.
@Suite(.serialized, .enabled(if: Machine.canMount, "needs root and /dev/fuse"))
struct HeldDirectoryTests {
    enum Removal: CaseIterable, Sendable { case throughTheUnion, underneath }

    /// Which layers have the directory.
    enum Place: CaseIterable, Sendable {
        case lower, upper, both, skeleton

        func prepare(_ union: Union, _ name: TestPath) throws {
            if self != .upper { try Sys.makeDirectories(union.inLower(name)) }
            if self == .upper || self == .both { try Sys.makeDirectories(union.inUpper(name)) }
            if self == .skeleton {
                try Sys.put(union[name / "inside"], "")
                try Sys.unlink(union[name / "inside"])
            }
        }
    }

    static let modes = ["watch", "check"]

    private func remove(_ how: Removal, _ union: Union, _ name: TestPath) throws {
        switch how {
        case .throughTheUnion: try Sys.removeDirectory(union[name])
        case .underneath:
            for path in [union.inLower(name), union.inUpper(name)] where Sys.exists(path) {
                try Sys.removeDirectory(path)
            }
        }
    }

    /// What the lower's own file system answers, with a link count of none: a removed cgroup tells the one that it had.
    private func expected(_ union: Union, _ name: TestPath) throws -> [String: String] {
        let path = union.inLower(name)
        try Sys.makeDirectories(path)
        var answers = try RemovedDirectory.answers(path) { try Sys.removeDirectory(path) }
        answers["fstat"] = "directory, links 0"
        answers["fstat of a path"] = "links 0"
        answers["stat of ."] = "links 0"
        return answers
    }

    @Test(arguments: HeldGround.available, modes)
    func answersAsOnALocalFileSystem(ground: HeldGround, mode: String) throws {
        try ground.withUnion(mode: mode) { union throws in
            try Sys.makeDirectories(union.inLower("p/beside"))
            let expected = try expected(union, "p/native")
            var number = 0
            var all: [String] = []
            for place in Place.allCases {
                for how in Removal.allCases {
                    number += 1
                    let name: TestPath = "p/held\(number)"
                    try place.prepare(union, name)
                    try union.synchronize()
                    var answers = try RemovedDirectory.answers(union[name]) {
                        try remove(how, union, name)
                        try union.synchronize()
                    }
                    // The upper owns it: its file system may have directories written out.
                    let isUppers = place == .upper || place == .both
                    if isUppers, answers["fsync"] == "()" { answers["fsync"] = expected["fsync"] }
                    let wrong = answers.filter { $0.value != expected[$0.key] }
                        .map { "\($0.key): \($0.value), not \(expected[$0.key] ?? "")" }.sorted()
                    if !wrong.isEmpty { all.append("\(place), \(how): " + wrong.joined(separator: "; ")) }
                    #expect(!Sys.exists(union[name]))
                    try Sys.put(union["p/alive"], "alive")
                    #expect(try Sys.text(union["p/alive"]) == "alive")
                }
            }
            #expect(all == [])
        }
    }

    /// A directory with something in it, removed with all of it by a shell that never sees the union.
    @Test(arguments: HeldGround.available.filter { !$0.isCgroup }, modes)
    func whatWasInItIsGone(ground: HeldGround, mode: String) throws {
        try ground.withUnion(mode: mode) { union throws in
            for layer in [union.inLower("p"), union.inUpper("p")] {
                try Sys.makeDirectories(layer / "held/inside")
                try Sys.makeDirectories(layer / "beside")
            }
            _ = try Sys.list(union["p/held"])
            _ = try Sys.facts(union["p/held/inside"])
            let answers = try RemovedDirectory.answers(union["p/held"]) {
                for layer in [union.inLower("p"), union.inUpper("p")] { Sys.removeTree(layer / "held") }
                try union.synchronize()
            }
            #expect(answers["lookup of what was there"] == "ENOENT")
            #expect(answers["opening and listing"] == "[]")
            #expect(answers["create"] == "ENOENT")
            #expect(answers["lookup in .."] == "directory")
            #expect(answers["chdir to .."] == "the parent")
        }
    }

    /// Programs that people use.
    @Test(arguments: HeldGround.available, modes)
    func aShellStandsInIt(ground: HeldGround, mode: String) throws {
        try ground.withUnion(mode: mode) { union throws in
            for how in Removal.allCases {
                let name: TestPath = how == .underneath ? "p/one" : "p/two"
                try Sys.makeDirectories(union.inLower(name))
                try Sys.makeDirectories(union.inLower("p/beside"))
                try union.synchronize()
                let go = union.mount + ".fifo-\(how)"
                try Sys.makeFifo(go)
                let errors = try Sys.open(union.mount + ".errors-\(how)", O_RDWR | O_CREAT)
                let child = try Child(
                    ["sh", "-c", Self.script, "sh", go.text], output: errors, errors: errors,
                    directory: union[name])
                // Opening it waits for the shell, which stands there by then.
                let signal = try Sys.open(go, O_WRONLY)
                try remove(how, union, name)
                try union.synchronize()
                try signal.write("go\n")
                let ending = try child.wait(within: 60)
                try errors.seek(0)
                let said = String(decoding: try errors.readAll(), as: UTF8.self)
                #expect(ending == .exited(0), "\(how): \(said)")
            }
        }
    }

    private static let script = """
        read word <"$1"
        ls || exit 3
        [ -z "$(ls)" ] || exit 4
        [ "$(stat -c %h .)" = 0 ] || exit 5
        chmod 700 . || exit 6
        touch new && exit 7
        [ -e any ] && exit 8
        ls -d .. || exit 9
        cd -P .. || exit 10
        [ -d beside ] || exit 11
        """

    /// To callers that stand in it a directory that has left the layer holds nothing, though strangers replace things so
    /// fast that what is looked up is held for a moment.
    @Test(arguments: Self.modes) func holdsNothingOutsideTheLayer(mode: String) throws {
        try HeldGround.tmpfs.withUnion(mode: mode) { union throws in
            let outside = union.inLower("").parent / "outside"
            try Sys.makeDirectory(outside)
            for name in ["first", "above/held"] as [TestPath] {
                try Sys.makeDirectories(union.inLower(name))
                try Sys.put(union.inLower(name / "f"), "of the layer")
            }
            try union.synchronize()
            // ESTALE is said here.
            let first = try Sys.open(union["first"], O_RDONLY | Flag.directory)
            try Sys.rename(union.inLower("first"), outside / "first")
            try union.synchronize()
            _ = failure { _ = try Sys.facts(place(first) / "f") }
            let held = try Sys.open(union["above/held"], O_RDONLY | Flag.directory)
            try Sys.rename(union.inLower("above"), outside / "above")
            try union.synchronize()
            #expect(failure { _ = try Sys.text(place(held) / "f") } == .noSuchFileOrDirectory)
            #expect(failure { try Sys.put(place(held) / "new", "") } == .noSuchFileOrDirectory)
            #expect(try Sys.names(outside / "above/held") == ["f"])
        }
    }

    private func place(_ handle: Handle) -> TestPath { TestPath("/proc/self/fd/\(handle.descriptor)") }
}
