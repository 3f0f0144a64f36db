import SwitchTestKit

/// A git repository of one commit.
enum Repository {
    static func build(_ size: Size, _ tree: TreeWriter, at path: TestPath, in layer: Int) throws {
        guard let root = tree.roots[layer] else { return }
        let perDirectory = 40
        for index in 0..<size.repositoryFiles {
            let directory = path / "d\(index / perDirectory % 8)" / "e\(index / perDirectory)"
            if index % perDirectory == 0 { try tree.directory(directory, in: [layer]) }
            try tree.file(
                directory / "source-\(index)", in: layer, size: 500 + index * 53 % 6000, seed: index)
        }
        let place = (root / path).text
        try run("git", "init", "-q", "-b", "main", place).orThrow()
        try run("git", "-C", place, "add", "-A").orThrow()
        try run("git", "-C", place, "commit", "-q", "-m", "All").orThrow()
        try run("git", "-C", place, "repack", "-a", "-d", "-q").orThrow()
    }

    /// What the programs that workloads start find in their environment: no user's or machine's settings.
    static func environment(home: TestPath) -> [(name: String, value: String)] {
        let moment = "2023-11-14T22:13:20Z"
        return [
            ("LC_ALL", "C"), ("HOME", home.text), ("GIT_CONFIG_NOSYSTEM", "1"),
            ("GIT_AUTHOR_NAME", "bench"), ("GIT_AUTHOR_EMAIL", "bench@localhost"),
            ("GIT_AUTHOR_DATE", moment),
            ("GIT_COMMITTER_NAME", "bench"), ("GIT_COMMITTER_EMAIL", "bench@localhost"),
            ("GIT_COMMITTER_DATE", moment),
        ]
    }
}
