internal import LinuxSystem
import SwitchTestKit
import Synchronization

/// Several clients at once, each a thread.
enum Clients {
    /// Runs `body` for each number below `count` at the same time, and returns when all have ended.
    static func run(_ count: Int, _ body: @escaping @Sendable (Int) throws -> Void) throws {
        let problem = ProblemBox()
        let threads = try (0..<count).map { client in
            try WorkerThread.spawn(name: "client") { problem.note { try body(client) } }
        }
        for thread in threads { thread.join() }
        try problem.check()
    }
}

/// What went wrong first on other threads.
private final class ProblemBox: Sendable {
    private let first = Mutex<String?>(nil)

    func note(_ body: () throws -> Void) {
        do {
            try body()
        } catch {
            let text = "\(error)"
            first.withLock { $0 = $0 ?? text }
        }
    }

    func check() throws {
        if let text = first.withLock({ $0 }) { throw FixtureError(text) }
    }
}
