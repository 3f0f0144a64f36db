internal import LinuxSystem
internal import Synchronization
internal import SystemPackage

/// The real directories of which a merged listing is made, top to bottom, to be read one after the other. Two
/// threads read large ones: the second begins with the lowest while the first is at the topmost.
final class LayerReadings: Sendable {
    private let readings: [LayerReading]
    private let helper: WorkerThread?

    init(_ readings: [LayerReading]) {
        self.readings = readings
        helper = Self.help(with: readings)
    }

    var count: Int { readings.count }

    /// About how many names there are, as the sizes suggest.
    var expectedNames: Int { readings.reduce(0) { $0 + $1.expectedNames } }

    var upper: LayerReading? { readings.first { $0.source.layer.isUpper } }

    subscript(index: Int) -> LayerReading { readings[index] }

    /// The directory's entries from the start. To be called once a directory, in order.
    func stream(of index: Int) -> DirectoryStream {
        let reading = readings[index]
        // What the helper has begun is the last thing that it does: it is through with all below.
        if !reading.claim() { helper?.join() }
        return reading.takeStream()
    }

    private static func help(with readings: [LayerReading]) -> WorkerThread? {
        guard readings.lazy.filter(\.isLarge).count > 1, ResourceLimits.processorCount > 1 else { return nil }
        let others = readings.dropFirst()
        return try? WorkerThread.spawn(name: "switchfs-list", stackSize: 256 * 1024) {
            for reading in others.reversed() where reading.isLarge {
                guard reading.claim() else { return }
                reading.readAhead()
            }
        }
    }
}

/// One of these directories, open for reading at its start.
final class LayerReading: Sendable {
    private static let mostAhead = 4 << 20

    let source: ListingSource
    let directory: OwnedDescriptor
    private let isClaimed = Atomic<Bool>(false)
    private let stream = Mutex<DirectoryStream?>(nil)

    init(_ opened: consuming OpenSource) {
        source = opened.source
        directory = opened.intoDirectory()
    }

    /// Whether it is worth a thread. Pseudo filesystems tell no size, and may look at the thread that reads.
    var isLarge: Bool { source.size >= 32 * 1024 && !source.filesystem.isPseudo }

    /// About how many names there are: an entry takes 16 to 40 bytes in most filesystems' directories.
    var expectedNames: Int { Int(clamping: source.size / 24) }

    /// Claims the directory for the calling thread. True: no other thread has it.
    func claim() -> Bool { !isClaimed.exchange(true, ordering: .acquiringAndReleasing) }

    func readAhead() {
        let size = min(Int(clamping: source.size) * 2, Self.mostAhead)
        var stream: DirectoryStream? = DirectoryStream(reading: directory.descriptor, ahead: size)
        stream?.readAhead()
        self.stream.withLock { swap(&stream, &$0) }
    }

    func takeStream() -> DirectoryStream {
        stream.withLock { $0.take() } ?? DirectoryStream(reading: directory.descriptor)
    }
}
