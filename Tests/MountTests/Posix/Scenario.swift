import SwitchTestKit

/// A short sequence of calls in a directory of its own, and what is looked at afterwards.
struct Scenario: Sendable {
    var title: String
    /// Made by root, before the clock ticks and the measured calls begin.
    var setup: [PosixCall]
    var steps: [(who: Identity, umask: UInt32, call: PosixCall)]
    var observed: [TestPath]

    init(
        _ title: String, setup: [PosixCall] = [], as who: Identity = .root, umask: UInt32 = 0o022,
        _ calls: [PosixCall], observing: [TestPath]
    ) {
        self.title = title
        self.setup = setup
        steps = calls.map { (who, umask, $0) }
        observed = observing
    }

    /// The same calls by each of several users.
    static func by(
        _ users: [Identity], _ title: String, setup: [PosixCall] = [], umask: UInt32 = 0o022,
        _ calls: [PosixCall], observing: [TestPath]
    ) -> [Scenario] {
        users.map {
            Scenario("\(title) as \($0)", setup: setup, as: $0, umask: umask, calls, observing: observing)
        }
    }
}

/// One observed fact, under a key that is the same on both sides.
struct Record: Sendable {
    var key: String
    var value: String
}
