import Glibc
import SwitchTestKit

/// Programs that go over whole trees.
enum TreeWorkloads {
    static func all(_ size: Size) -> [Workload] {
        let needles = (size.smallFiles + 9) / 10
        return pair(
            "find", "find over \(size.treeFiles) files", Fixtures.tree(size), ["find"],
            Fixtures.treeNames(size)
        ) { _ in true }
            + pair(
                "ls-lR", "ls -lR over \(size.treeFiles) files", Fixtures.tree(size), ["ls", "-lR"],
                size.treeFiles
            ) { isFile($0) }
            + pair(
                "grep", "grep -r over \(size.smallFiles) files of 4 KiB", Fixtures.small(size),
                ["grep", "-rl", Fixtures.needle], needles
            ) { _ in true }
            + [listAfterFind(size), untar(size), remove(size)]
    }

    /// The program on a fresh mount, and again. Its lines that `belongs` holds for are counted.
    private static func pair(
        _ name: String, _ summary: String, _ fixture: Fixture, _ command: [String], _ wanted: Int,
        _ belongs: @escaping @Sendable (ArraySlice<UInt8>) -> Bool
    ) -> [Workload] {
        let measure: @Sendable (Site, (() throws -> Void) throws -> Double) throws -> Sample = { site, time in
            let output = try Program.outputFile(in: site.supplies.root)
            return .time(
                try time {
                    _ = try Program.time(command + [site.root.text], output: output)
                    try expect(Program.takeLines(of: output, where: belongs), wanted, "lines")
                })
        }
        return [
            Workload(name: name + "-cold", summary: summary + ", first after mounting", fixture: fixture) {
                site in try measure(site) { try site.firstPass($0) }
            },
            Workload(name: name + "-warm", summary: summary + ", again", fixture: fixture) { site in
                try measure(site) { try site.laterPasses($0) }
            },
        ]
    }

    /// Whether a line of `ls -l` is about a file.
    private static func isFile(_ line: ArraySlice<UInt8>) -> Bool { line.first == UInt8(ascii: "-") }

    /// A server that has just been asked for names alone, and guesses what comes next.
    private static func listAfterFind(_ size: Size) -> Workload {
        Workload(
            name: "ls-lR-after-find",
            summary: "ls -lR over \(size.treeFiles) files, after mounting and one find",
            fixture: Fixtures.tree(size)
        ) { site in
            let output = try Program.outputFile(in: site.supplies.root)
            _ = try Program.time(["find", site.root.text], output: output)
            try expect(Program.takeLines(of: output) { _ in true }, Fixtures.treeNames(size), "names")
            return .time(
                try site.firstPass {
                    _ = try Program.time(["ls", "-lR", site.root.text], output: output)
                    try expect(Program.takeLines(of: output, where: isFile), size.treeFiles, "lines")
                })
        }
    }

    private static let place: TestPath = "w"

    private static func untar(_ size: Size) -> Workload {
        Workload(
            name: "untar", summary: "tar -x of \(size.archivedFiles) files of 1 to 10 KB",
            fixture: Fixtures.making, changesUpper: true,
            prepare: { _, supplies in _ = try supplies.archive(size) },
            measure: { site in
                let archive = try site.supplies.archive(size)
                let command = ["tar", "-xf", archive.text, "-C", (site.root / place).text]
                return .time(try site.onlyPass { _ = try Program.time(command) })
            },
            verify: { layers, _ in
                let made = layers.upper / place / Supplies.archivedTree
                try expect(Program.countFiles(below: made), size.archivedFiles, "files in the upper")
            })
    }

    private static func remove(_ size: Size) -> Workload {
        Workload(
            name: "rm-r", summary: "rm -r of \(size.archivedFiles) files of the upper",
            fixture: Fixtures.making, changesUpper: true,
            prepare: { layers, supplies in
                let archive = try supplies.archive(size)
                try run("tar", "-xf", archive.text, "-C", (layers.upper / place).text).orThrow()
            },
            measure: { site in
                let command = ["rm", "-r", (site.root / place / Supplies.archivedTree).text]
                return .time(try site.onlyPass { _ = try Program.time(command) })
            },
            verify: { layers, _ in
                let removed = layers.upper / place / Supplies.archivedTree
                let kind = (try? Sys.facts(removed))?.kind
                // A union may leave a whiteout.
                if let kind, kind != .character { throw FixtureError("the tree is still there") }
            })
    }
}
