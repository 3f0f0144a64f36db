/// For how long a thread looks at the device before it sleeps there, as its last waits suggest.
///
/// To wake a thread that sleeps on another processor takes several times as long as most requests need. While
/// requests come back to back, looking for the next one costs less than sleeping does. It is of no use when
/// they don't, or when another thread needs the processor.
///
/// `CFloor/budget.c` does the same, for the server that switchfs is measured beside.
struct PollBudget {
    /// A request within this time, in nanoseconds, came back to back.
    private static var quick: UInt64 { 100_000 }
    /// The most time between two looks, in nanoseconds: after a longer one another thread has preempted this
    /// one. A hypervisor takes the processor away for shorter times, and then sleeping doesn't help.
    private static var preempted: UInt64 { 400_000 }
    /// For how long looking stops after that, in nanoseconds. It is longer each time, until looking goes well
    /// for some time in between.
    private static var shortestRetreat: UInt64 { 20_000_000 }
    private static var longestRetreat: UInt64 { 640_000_000 }
    /// After so many quick requests in a row looking begins. After so many vain looks in a row it ends.
    private static var proof: Int { 3 }

    private let isAllowed: Bool
    private var hits = 0
    private var misses = 0
    private var isLooking = false
    private var retreatsUntil: UInt64 = 0
    private var retreat: UInt64 = 0

    init(isAllowed: Bool) { self.isAllowed = isAllowed }

    /// For how many nanoseconds to look for a request. 0: sleep at once.
    func window(at now: UInt64) -> UInt64 {
        isLooking && now >= retreatsUntil ? PollBudget.quick : 0
    }

    /// Whether looking must stop, as another thread ran here between two looks.
    mutating func isPreempted(_ last: UInt64, _ now: UInt64) -> Bool {
        guard now &- last > PollBudget.preempted else { return false }
        let isSoon = now &- retreatsUntil < retreat
        retreat = isSoon ? min(retreat * 2, PollBudget.longestRetreat) : PollBudget.shortestRetreat
        retreatsUntil = now &+ retreat
        return true
    }

    /// Notes that a request came after `waited` nanoseconds.
    mutating func arrived(after waited: UInt64) {
        guard isAllowed else { return }
        if waited <= PollBudget.quick {
            misses = 0
            hits = min(hits + 1, PollBudget.proof)
            if hits == PollBudget.proof { isLooking = true }
        } else {
            hits = 0
            misses = min(misses + 1, PollBudget.proof)
            if misses == PollBudget.proof { isLooking = false }
        }
    }
}
