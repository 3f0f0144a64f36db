import SwitchTestKit

/// Git over a repository in the lower, and cloning one into the union.
enum GitWorkloads {
    static func all(_ size: Size) -> [Workload] { status(size) + [clone(size)] }

    private static func status(_ size: Size) -> [Workload] {
        let fixture = Fixture(name: "git", writesLowers: true) { tree in
            try Repository.build(size, tree, at: "repository", in: 1)
        }
        let files = "\(size.repositoryFiles) files"
        let settle: @Sendable (Site) throws -> Void = { site in
            // Git notes the inode numbers that it sees; those of the union may be others than the layer's.
            try run("git", "-C", (site.root / "repository").text, "status").orThrow()
        }
        return [
            Workload(
                name: "git-status-cold",
                summary: "git status over \(files) of the lower, first after mounting",
                fixture: fixture, needs: "git", once: settle
            ) { site in
                .time(try site.firstPass { try status(site) })
            },
            later("second", run: 2, files, fixture, settle), later("third", run: 3, files, fixture, settle),
            Workload(
                name: "git-status-warm", summary: "git status over \(files) of the lower, again",
                fixture: fixture, needs: "git", once: settle
            ) { site in
                .time(try site.laterPasses { try status(site) })
            },
        ]
    }

    /// One of the runs that follow each other on a fresh mount.
    private static func later(
        _ name: String, run number: Int, _ files: String, _ fixture: Fixture,
        _ settle: @escaping @Sendable (Site) throws -> Void
    ) -> Workload {
        Workload(
            name: "git-status-\(name)",
            summary: "git status over \(files) of the lower, the \(name) after mounting",
            fixture: fixture, needs: "git", once: settle
        ) { site in
            for _ in 1..<number { try status(site) }
            return .time(try site.firstPass { try status(site) })
        }
    }

    /// Reads only: it would write its index anew where it found it out of date, and the next one would differ.
    private static func status(_ site: Site) throws {
        let output = try Program.outputFile(in: site.supplies.root)
        let place = (site.root / "repository").text
        _ = try Program.time(
            ["git", "--no-optional-locks", "-C", place, "status", "--porcelain"], output: output)
        try expect(Program.takeLines(of: output) { _ in true }, 0, "changed files")
    }

    private static func clone(_ size: Size) -> Workload {
        Workload(
            name: "git-clone", summary: "git clone of \(size.repositoryFiles) files",
            fixture: Fixtures.making,
            changesUpper: true, needs: "git",
            prepare: { _, supplies in _ = try supplies.repository(size) },
            measure: { site in
                let source = try site.supplies.repository(size).text
                let command = ["git", "clone", "-q", "--no-hardlinks", source, (site.root / "w/clone").text]
                return .time(try site.onlyPass { _ = try Program.time(command) })
            },
            verify: { layers, _ in
                let files = try Program.countFiles(below: layers.upper / "w/clone", besides: ".git")
                try expect(files, size.repositoryFiles, "files in the upper")
            })
    }
}
