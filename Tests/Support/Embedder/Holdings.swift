import Glibc

/// What this process has: descriptors, threads, and whether the mount is there.
struct Holdings: Equatable {
    private let mountPoint: String
    private let descriptors: [String]
    private let threads: [String]
    private let isMounted: Bool

    init(_ mountPoint: String) {
        self.mountPoint = mountPoint
        // The listing's own descriptor is the same each time.
        descriptors = entries(of: "/proc/self/fd").compactMap { target(of: "/proc/self/fd/" + $0) }.sorted()
        threads = entries(of: "/proc/self/task").map { content(of: "/proc/self/task/\($0)/comm") }.sorted()
        isMounted = content(of: "/proc/self/mountinfo").contains(" \(mountPoint) ")
    }

    /// Throws what differs, if it does for long.
    func compare(_ moment: String) throws {
        _ = try wait(moment) { $0 == self }
    }

    /// What there is when no other threads are there any more than here.
    func sameThreads() throws -> Holdings {
        try wait("the first mount") { $0.threads == threads }
    }

    /// Some threads are only told to end.
    private func wait(_ moment: String, _ condition: (Holdings) -> Bool) throws -> Holdings {
        for _ in 0..<1000 {
            let now = Holdings(mountPoint)
            if condition(now) { return now }
            usleep(10_000)
        }
        throw Complaint("\(moment): before \(self), now \(Holdings(mountPoint))")
    }
}

/// Descriptors of /dev/null in every place of the table but some.
struct FullTable {
    private static let size: rlim_t = 256
    private var others: [Int32] = []

    init(butFor amount: Int32) throws {
        var limit = rlimit(rlim_cur: Self.size, rlim_max: Self.size)
        guard unsafe setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 else {
            throw Complaint("no limit of descriptors: \(errno)")
        }
        while true {
            let other = unsafe open("/dev/null", O_RDONLY | O_CLOEXEC)
            if other < 0 { break }
            others.append(other)
        }
        for _ in 0..<amount { if let other = others.popLast() { _ = Glibc.close(other) } }
    }

    func close() {
        for other in others { _ = Glibc.close(other) }
    }
}

private func entries(of path: String) -> [String] {
    guard let directory = unsafe opendir(path) else { return [] }
    defer { unsafe closedir(directory) }
    var names: [String] = []
    while let entry = unsafe readdir(directory) {
        let name = unsafe withUnsafePointer(to: &entry.pointee.d_name) { name in
            unsafe name.withMemoryRebound(to: CChar.self, capacity: 256) { unsafe String(cString: $0) }
        }
        if !name.hasPrefix(".") { names.append(name) }
    }
    return names
}

private func target(of path: String) -> String? {
    var bytes = [CChar](repeating: 0, count: 4096)
    let count = unsafe readlink(path, &bytes, bytes.count)
    guard count > 0 else { return nil }
    return String(decoding: bytes.prefix(count).map { UInt8(bitPattern: $0) }, as: UTF8.self)
}

private func content(of path: String) -> String {
    let file = unsafe open(path, O_RDONLY | O_CLOEXEC)
    guard file >= 0 else { return "" }
    defer { close(file) }
    var text: [UInt8] = []
    var bytes = [UInt8](repeating: 0, count: 65536)
    while true {
        let count = unsafe bytes.withUnsafeMutableBytes { unsafe read(file, $0.baseAddress, $0.count) }
        if count <= 0 { return String(decoding: text, as: UTF8.self) }
        text += bytes.prefix(count)
    }
}
