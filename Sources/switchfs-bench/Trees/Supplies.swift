import SwitchTestKit

/// Natively kept things that workloads take from, made at first use.
final class Supplies {
    let root: TestPath

    init(root: TestPath) throws {
        self.root = root
        try Sys.makeDirectories(root)
    }

    static let archivedTree: TestPath = "tree"

    /// An archive of `archivedTree`.
    func archive(_ size: Size) throws -> TestPath {
        let path = root / "archive.tar"
        if Sys.exists(path) { return path }
        let writer = TreeWriter(roots: [root])
        let perDirectory = 50
        for index in 0..<size.archivedFiles {
            let directory = Self.archivedTree / "d\(index / perDirectory)"
            if index % perDirectory == 0 { try writer.directory(directory, in: [0]) }
            try writer.file(directory / "file-\(index)", in: 0, size: 1000 + index * 37 % 9000, seed: index)
        }
        try run("tar", "-cf", path.text, "-C", root.text, Self.archivedTree.text).orThrow()
        Sys.removeTree(root / Self.archivedTree)
        return path
    }

    /// A git repository.
    func repository(_ size: Size) throws -> TestPath {
        let path = root / "repository"
        if !Sys.exists(path) {
            try Repository.build(size, TreeWriter(roots: [root]), at: "repository", in: 0)
        }
        return path
    }
}
