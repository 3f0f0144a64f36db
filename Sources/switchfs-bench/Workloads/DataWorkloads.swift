import Glibc
import SwitchTestKit

/// Reading and writing the data of one big file.
enum DataWorkloads {
    static func all(_ size: Size) -> [Workload] {
        (reading(size) + writing(size)).map { workload in
            // The others' data comes from a disk's cache, by way of their layers.
            var workload = workload
            workload.leavesOut = [.floor]
            return workload
        } + [firstWrite(size)]
    }

    private static let name: TestPath = "data"
    private static let block = Pattern.blockSize
    private static let pagesOfBlock = block / Pattern.pageSize
    private static let randomAccesses = 5000

    private static func reading(_ size: Size) -> [Workload] {
        let bytes = size.readBytes
        let words = (0..<bytes / Pattern.pageSize).map { Pattern.word(page: $0, seed: 1) }
        let megabytes = "\(bytes >> 20) MiB of the lower"
        let fixture = Fixtures.readFile(size)
        return [
            Workload(
                name: "read-cold", summary: "sequential read of \(megabytes), first after mounting",
                fixture: fixture
            ) { site in
                let file = try Sys.open(site.root / name)
                return .time(try site.firstPass { try read(file, 0..<bytes, words) })
            },
            Workload(name: "read-warm", summary: "sequential read of \(megabytes), again", fixture: fixture) {
                site in
                let file = try Sys.open(site.root / name)
                return .time(try site.laterPasses { try read(file, 0..<bytes, words) })
            },
            Workload(
                name: "read-random", summary: "random reads of 4 KiB in \(megabytes), read before",
                fixture: fixture
            ) { site in
                let file = try Sys.open(site.root / name)
                try read(file, 0..<bytes, words)
                return .time(try site.passes { try readRandomly(file, words) })
            },
            Workload(
                name: "read-mmap", summary: "\(megabytes) read through mmap, read before", fixture: fixture
            ) { site in
                let file = try Sys.open(site.root / name)
                return .time(try site.laterPasses { try readMapped(file, words) })
            },
            Workload(
                name: "read-parallel", summary: "\(megabytes) read by 4 threads, a quarter each, read before",
                fixture: fixture
            ) { site in
                .time(try site.laterPasses { try readInParallel(site.root / name, bytes, words) })
            },
        ]
    }

    private static func read(_ file: Handle, _ range: Range<Int>, _ words: [UInt64]) throws {
        let buffer = PageBuffer(size: block)
        for offset in stride(from: range.lowerBound, to: range.upperBound, by: block) {
            try buffer.read(file, at: offset)
            let first = offset / Pattern.pageSize
            for page in 0..<pagesOfBlock where buffer[page: page] != words[first + page] {
                throw wrongData(first + page)
            }
        }
    }

    private static func readRandomly(_ file: Handle, _ words: [UInt64]) throws {
        let buffer = PageBuffer(size: Pattern.pageSize)
        var random = SeededRandom(seed: 5)
        for _ in 0..<randomAccesses {
            let page = random.below(words.count)
            try buffer.read(file, at: page * Pattern.pageSize)
            if buffer[page: 0] != words[page] { throw wrongData(page) }
        }
    }

    private static func readMapped(_ file: Handle, _ words: [UInt64]) throws {
        let mapped = try MappedFile(file, size: words.count * Pattern.pageSize)
        for page in words.indices where mapped[page: page] != words[page] { throw wrongData(page) }
    }

    private static func readInParallel(_ path: TestPath, _ bytes: Int, _ words: [UInt64]) throws {
        let quarter = bytes / 4
        try Clients.run(4) { part in
            try read(Sys.open(path), part * quarter..<(part + 1) * quarter, words)
        }
    }

    private static func wrongData(_ page: Int) -> FixtureError { FixtureError("wrong data in page \(page)") }

    // MARK: Writing

    private static func writing(_ size: Size) -> [Workload] {
        let bytes = size.writtenBytes
        let megabytes = "\(bytes >> 20) MiB of the upper"
        let fixture = Fixtures.writtenFile(size)
        return [
            Workload(
                name: "write", summary: "sequential overwrite of \(megabytes)", fixture: fixture,
                measure: { site in
                    let file = try Sys.open(site.root / name, O_RDWR)
                    return .time(try site.passes { try write(file, bytes, site.stamp) })
                },
                verify: { layers, stamp in try checkWritten(layers.upper / name, bytes, stamp) }),
            Workload(
                name: "write-random", summary: "random writes of 4 KiB in \(megabytes)", fixture: fixture,
                measure: { site in
                    let file = try Sys.open(site.root / name, O_RDWR)
                    return .time(try site.passes { try writeRandomly(file, bytes, site.stamp) })
                },
                verify: { layers, stamp in try checkWrittenRandomly(layers.upper / name, bytes, stamp) }),
        ]
    }

    private static func stampWord(_ stamp: Int, _ page: Int) -> UInt64 {
        Pattern.word(page: page, seed: ~stamp)
    }

    private static func write(_ file: Handle, _ bytes: Int, _ stamp: Int) throws {
        let buffer = PageBuffer(size: block)
        buffer.fill(stampWord(stamp, 0))
        for offset in stride(from: 0, to: bytes, by: block) {
            buffer[page: 0] = stampWord(stamp, offset)
            try buffer.write(file, at: offset)
        }
    }

    private static func checkWritten(_ path: TestPath, _ bytes: Int, _ stamp: Int) throws {
        let file = try Sys.open(path)
        let buffer = PageBuffer(size: block)
        for offset in stride(from: 0, to: bytes, by: block) {
            try buffer.read(file, at: offset)
            for page in 0..<pagesOfBlock
            where buffer[page: page] != stampWord(stamp, page == 0 ? offset : 0) {
                throw wrongData(offset / Pattern.pageSize + page)
            }
        }
    }

    private static func writeRandomly(_ file: Handle, _ bytes: Int, _ stamp: Int) throws {
        let buffer = PageBuffer(size: Pattern.pageSize)
        var random = SeededRandom(seed: 6)
        for _ in 0..<randomAccesses {
            let page = random.below(bytes / Pattern.pageSize)
            buffer[page: 0] = stampWord(stamp, page)
            try buffer.write(file, at: page * Pattern.pageSize)
        }
    }

    private static func checkWrittenRandomly(_ path: TestPath, _ bytes: Int, _ stamp: Int) throws {
        let file = try Sys.open(path)
        let buffer = PageBuffer(size: Pattern.pageSize)
        var random = SeededRandom(seed: 6)
        for _ in 0..<randomAccesses {
            let page = random.below(bytes / Pattern.pageSize)
            try buffer.read(file, at: page * Pattern.pageSize)
            if buffer[page: 0] != stampWord(stamp, page) { throw wrongData(page) }
        }
    }

    private static func firstWrite(_ size: Size) -> Workload {
        Workload(
            name: "first-write",
            summary: "open, 4 KiB written, close: first to a lower file of \(size.bigFileBytes >> 20) MiB",
            fixture: Fixtures.bigFile(size), changesUpper: true,
            measure: { site in
                let buffer = PageBuffer(size: Pattern.pageSize)
                buffer.fill(stampWord(site.stamp, 0))
                return .time(
                    try site.onlyPass { try buffer.write(Sys.open(site.root / name, O_WRONLY), at: 0) })
            },
            verify: { layers, stamp in
                let copy = layers.upper / name
                let buffer = PageBuffer(size: Pattern.pageSize)
                try buffer.read(Sys.open(Sys.exists(copy) ? copy : layers.lowers[0] / name), at: 0)
                if buffer[page: 0] != stampWord(stamp, 0) { throw wrongData(0) }
            })
    }
}
