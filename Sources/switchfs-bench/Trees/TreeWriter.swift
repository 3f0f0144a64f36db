import Glibc
import SwitchTestKit

/// Writes a fixture's files into those layers that are to be made now; what belongs to others is passed over.
struct TreeWriter {
    /// By layer, 0 is the upper; nil is passed over.
    let roots: [TestPath?]

    /// The number of lowers.
    var lowers: Int { roots.count - 1 }

    func directory(_ path: TestPath, in layers: some Sequence<Int>) throws {
        for layer in layers {
            if let root = roots[layer] { try Sys.makeDirectories(root / path) }
        }
    }

    /// A file of `size` bytes, whose content and times follow from `seed`.
    func file(_ path: TestPath, in layer: Int, size: Int, seed: Int) throws {
        guard let root = roots[layer] else { return }
        let handle = try Sys.open(root / path, O_WRONLY | O_CREAT | O_TRUNC)
        var written = 0
        while written < size {
            let count = min(size - written, Pattern.blockSize)
            let first = written / Pattern.pageSize
            written += try handle.write(Pattern.bytes(count, firstPage: first, seed: seed))
        }
        // Git asks again for files that are as young as its index.
        try handle.changeTimes(modified: (Int64(1_700_000_000) + Int64(seed)) * 1_000_000_000)
    }

    func text(_ path: TestPath, in layer: Int, _ text: String) throws {
        guard let root = roots[layer] else { return }
        let handle = try Sys.open(root / path, O_WRONLY | O_CREAT | O_TRUNC)
        try handle.write(text)
        try handle.changeTimes(modified: 1_700_000_000 * 1_000_000_000)
    }
}
