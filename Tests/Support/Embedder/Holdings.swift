import Glibc
import SwitchTestKit

/// What this process has: descriptors, threads, and whether the mount is there.
struct Holdings: Equatable {
    private let mountPoint: String
    private let descriptors: [String]
    private let threads: [String]
    private let isMounted: Bool

    init(_ mountPoint: String) throws {
        self.mountPoint = mountPoint
        let own = TestPath("/proc/self")
        // What goes while it is listed is left out: the listing's own descriptor, and threads that end.
        descriptors = try Sys.names(own / "fd").compactMap { try? Sys.readLink(own / "fd" / $0).text }
            .sorted()
        threads = try Sys.names(own / "task").compactMap { try? Sys.text(own / "task" / $0 / "comm") }
            .sorted()
        isMounted = try Sys.text(own / "mountinfo").contains(" \(mountPoint) ")
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
        let deadline = Deadline(10)
        while true {
            let now = try Holdings(mountPoint)
            if condition(now) { return now }
            if deadline.passed { throw Complaint("\(moment): before \(self), now \(now)") }
            takeBreath()
        }
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
