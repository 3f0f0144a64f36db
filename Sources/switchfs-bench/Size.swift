import ArgumentParser

/// How much the workloads work with. Names and sizes in it are the same on every machine.
enum Size: String, ExpressibleByArgument, CaseIterable, Encodable {
    /// For trying out whether it works: the figures mean little.
    case tiny
    /// All workloads in a few minutes a round.
    case short
    /// What the documentation's figures are measured with.
    case full

    /// Files that `stat` and `open` go over.
    var statFiles: Int { pick(200, 5000, 5000) }
    /// Files of 4 KiB that are read whole.
    var smallFiles: Int { pick(100, 2000, 2000) }
    /// Entries of a listed directory.
    var listedEntries: Int { pick(500, 10_000, 10_000) }
    /// Files that `find` and `ls -lR` go over.
    var treeFiles: Int { pick(500, 20_000, 100_000) }
    /// Entries that are made, renamed and removed one by one.
    var madeEntries: Int { pick(100, 1000, 1000) }
    /// Files in the archive, and in the tree that is removed.
    var archivedFiles: Int { pick(100, 2000, 5000) }
    /// Files in the git repository.
    var repositoryFiles: Int { pick(50, 1000, 5000) }
    /// Files walked before memory is looked at.
    var walkedFiles: Int { pick(500, 50_000, 300_000) }
    /// Bytes of the file that is read.
    var readBytes: Int { pick(4, 256, 512) << 20 }
    /// Bytes of the file that is overwritten.
    var writtenBytes: Int { pick(4, 128, 128) << 20 }
    /// Bytes of the lower file that gets a first write.
    var bigFileBytes: Int { pick(8, 256, 1024) << 20 }

    private func pick(_ tiny: Int, _ short: Int, _ full: Int) -> Int {
        switch self {
        case .tiny: tiny
        case .short: short
        case .full: full
        }
    }
}
