import Glibc
import SwitchTestKit
import Synchronization
import SystemPackage

/// One who covers and uncovers what a read-only lower holds, beside two who look at it as fast as they can.
final class CoveringRace: Sendable {
    typealias Act = @Sendable (_ union: TestPath, _ round: Int) throws -> Void
    /// What was wrong, in words.
    typealias Look = @Sendable (_ union: TestPath, _ round: Int) -> String?

    /// Owns what is hidden, and nothing else.
    static let stranger: UInt32 = 4242

    private let union: TestPath
    private let rounds: Int
    private let turnstile = Turnstile()
    private let round = Atomic<Int>(0)
    private let found = Mutex<[String: Int]>([:])

    init(in union: TestPath, rounds: Int) {
        self.union = union
        self.rounds = rounds
    }

    var complaints: [String: Int] { found.withLock { $0 } }
    var looks: Int { turnstile.steps }

    func start(_ looks: [Look], _ act: @escaping Act) throws {
        let observers = (0..<2).map { number in
            { @Sendable [self] in
                var turn = number
                turnstile.run {
                    turn += 1
                    note(looks[turn % looks.count](union, round.load(ordering: .relaxed)))
                }
            }
        }
        try together(
            observers + [
                { @Sendable [self] in
                    defer { turnstile.end() }
                    for number in 0..<rounds {
                        round.store(number, ordering: .relaxed)
                        try act(union, number)
                        for look in looks { note(look(union, number).map { "who acts: " + $0 }) }
                    }
                }
            ])
    }

    private func note(_ complaint: String?) {
        guard let complaint else { return }
        found.withLock { $0[complaint, default: 0] += 1 }
    }

    /// Looks at a name under which there is now and then something, but never the stranger's.
    static func looks(at name: TestPath) -> [Look] {
        [
            { union, _ in judge("stat") { () throws(Errno) in try Sys.facts(union / name) } },
            { union, _ in
                judge("open") { () throws(Errno) in
                    try Sys.open(union / name, Flag.path | Flag.noFollow).facts()
                }
            },
            { union, _ in
                judge("read") { () throws(Errno) in
                    try Sys.open(union / name, O_NONBLOCK | Flag.noFollow).facts()
                }
            },
            { union, _ in
                let kind = Result { () throws(Errno) in
                    try Sys.list(union).first { $0.name == name }?.kind ?? .file
                }
                switch kind {
                case .success(.file): return nil
                case .success(let kind): return "listing shows a \(kind)"
                case .failure(let error): return "listing: \(error.name)"
                }
            },
        ]
    }

    private static func judge(_ what: String, _ look: () throws(Errno) -> FileFacts) -> String? {
        do throws(Errno) {
            return try look().uid == stranger ? "\(what) shows what is hidden" : nil
        } catch {
            return error == .noSuchFileOrDirectory ? nil : "\(what): \(error.name)"
        }
    }
}
