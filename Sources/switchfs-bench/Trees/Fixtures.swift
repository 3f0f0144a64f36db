import SwitchTestKit

/// The layers that the workloads run over.
enum Fixtures {
    static let statDirectories = 10

    /// Files for `stat` and `open`, two directories deep, spread evenly over the lowers.
    static func stat(_ size: Size, lowers: Int) -> Fixture {
        Fixture(name: "stat\(lowers)", lowers: lowers) { tree in
            for directory in 0..<statDirectories {
                try tree.directory("a/d\(directory)", in: 1...lowers)
            }
            for (index, name) in statNames(size).enumerated() {
                try tree.file(TestPath(name), in: index % lowers + 1, size: index % 512, seed: index)
            }
        }
    }

    static func statNames(_ size: Size) -> [String] {
        (0..<size.statFiles).map { "a/d\($0 % statDirectories)/file-\($0)" }
    }

    static let smallFileBytes = 4096
    static let needle = "needle-in-the-haystack"

    /// Files of 4 KiB in one lower; each tenth has a word to search for.
    static func small(_ size: Size) -> Fixture {
        Fixture(name: "small") { tree in
            for directory in 0..<statDirectories {
                try tree.directory("s/d\(directory)", in: [1])
            }
            for (index, name) in smallNames(size).enumerated() {
                try tree.text(TestPath(name), in: 1, smallText(index))
            }
        }
    }

    static func smallNames(_ size: Size) -> [String] {
        (0..<size.smallFiles).map { "s/d\($0 % statDirectories)/text-\($0)" }
    }

    private static func smallText(_ index: Int) -> String {
        var random = SeededRandom(seed: UInt64(index))
        var text = index % 10 == 0 ? needle + "\n" : ""
        while text.utf8.count < smallFileBytes {
            text += String(random.next(), radix: 36) + (random.below(8) == 0 ? "\n" : " ")
        }
        return String(text.prefix(smallFileBytes))
    }

    /// A directory of one layer, and one to which the upper and the lower add half each.
    static func listing(_ size: Size) -> Fixture {
        Fixture(name: "list", fillsUpper: true) { tree in
            try tree.directory("pure", in: [1])
            try tree.directory("merged", in: [0, 1])
            for index in 0..<size.listedEntries {
                try tree.file("pure/entry-\(index)", in: 1, size: 0, seed: index)
                try tree.file("merged/entry-\(index)", in: index % 2, size: 0, seed: index)
            }
        }
    }

    static let filesADirectory = 100

    /// A deep tree in one lower: a hundred files a directory, ten directories a directory.
    static func tree(_ size: Size) -> Fixture {
        Fixture(name: "tree") { tree in
            for directory in 0..<(size.treeFiles / filesADirectory) {
                let path = deepPath(directory)
                try tree.directory(path, in: [1])
                for file in 0..<filesADirectory {
                    try tree.file(path / "file-\(file)", in: 1, size: file % 64, seed: file)
                }
            }
        }
    }

    /// `t/d4/d1` for 14: each digit is a step down.
    static func deepPath(_ number: Int) -> TestPath {
        let steps = String(number).reversed().map { "/d\($0)" }
        return TestPath("t" + steps.joined())
    }

    /// How many names `find` shows of it, its root's included.
    static func treeNames(_ size: Size) -> Int {
        var directories: Set<TestPath> = []
        for directory in 0..<(size.treeFiles / filesADirectory) {
            var path = deepPath(directory)
            while !path.bytes.isEmpty {
                directories.insert(path)
                path = path.parent
            }
        }
        return 1 + directories.count + size.treeFiles
    }

    /// Cgroups beside each other.
    static let cgroups = Fixture(name: "cgroups", isOfCgroups: true) { tree in
        for name in cgroupNames { try tree.directory(TestPath(name), in: [1]) }
    }

    static let cgroupNames = (0..<200).map { "g\($0)" }

    /// A merged directory to make things in.
    static let making = Fixture(name: "make", fillsUpper: true) { tree in
        try tree.directory("w", in: [0, 1])
    }

    static let walkedDirectory = 1000

    /// Many empty files, to see what each costs in memory.
    static func walked(_ size: Size) -> Fixture {
        Fixture(name: "walk") { tree in
            for (index, name) in walkedNames(size).enumerated() {
                if index % walkedDirectory == 0 {
                    try tree.directory(TestPath(name).parent, in: [1])
                }
                try tree.file(TestPath(name), in: 1, size: 0, seed: index)
            }
        }
    }

    static func walkedNames(_ size: Size) -> [String] {
        (0..<size.walkedFiles).map { "d\($0 / walkedDirectory)/file-\($0)" }
    }

    /// A file in the lower to read.
    static func readFile(_ size: Size) -> Fixture {
        Fixture(name: "read") { try $0.file("data", in: 1, size: size.readBytes, seed: 1) }
    }

    /// A file in the upper to overwrite.
    static func writtenFile(_ size: Size) -> Fixture {
        Fixture(name: "write", fillsUpper: true) {
            try $0.file("data", in: 0, size: size.writtenBytes, seed: 2)
        }
    }

    /// A big file in the lower that gets a first write.
    static func bigFile(_ size: Size) -> Fixture {
        Fixture(name: "big", writesLowers: true) {
            try $0.file("data", in: 1, size: size.bigFileBytes, seed: 3)
        }
    }
}
