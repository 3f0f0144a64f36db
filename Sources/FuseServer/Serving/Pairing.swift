internal import CFuseShims
internal import LinuxSystem

/// Has a reader run where the client runs that asks again and again.
///
/// A client waits for the answer, and the server for the next question: only one of them has work at a time. On one
/// processor that is a change of threads; on two, each time one must be woken that has gone to sleep, which costs
/// several times as much. The scheduler puts a woken client on an idle processor, unless what runs on the client's
/// own gives way to everything (SCHED_IDLE). So the reader moves to the client's processor, and gives way from just
/// before its answer until it has looked for the next request. It never sleeps like that; and where others need the
/// processor more, `Standby` sees that nobody reads, and this ends for a while.
struct Pairing {
    /// So many requests in a row from one thread.
    private static var proof: Int { 16 }
    /// Requests until the client's processor is looked up again.
    private static var interval: Int { 64 }
    /// A pause of so many nanoseconds ends it.
    private static var pause: UInt64 { 1_000_000 }

    private let isAllowed: Bool
    private var client: UInt32 = 0
    private var run = 0
    private var processor: Int32?
    /// The answer that is being made will give way.
    private var isArmed = false
    /// The last answer was given giving way.
    private(set) var hasGivenWay = false

    init(isAllowed: Bool) { self.isAllowed = isAllowed }

    var isOn: Bool { processor != nil }

    /// A request is about to be answered.
    mutating func begin(_ header: sfs_request_header, isAlone: Bool) {
        guard isAllowed, header.pid != 0, header.waitsForReply else { return }
        guard header.pid == client, isAlone else {
            end()
            client = header.pid
            return
        }
        run += 1
        if run % Pairing.interval == Pairing.proof { follow() }
        guard isOn else { return }
        sfs_before_reply { ThreadPlacement.giveWay() }
        isArmed = true
    }

    /// It is answered, or will be by somebody else.
    mutating func finish() {
        guard isArmed else { return }
        hasGivenWay = sfs_has_replied() != 0
        sfs_before_reply(nil)
        isArmed = false
    }

    /// Takes the usual precedence again.
    mutating func comeBack() {
        ThreadPlacement.comeBack()
        hasGivenWay = false
    }

    /// The next request came after `waited` nanoseconds of sleep.
    mutating func slept(_ waited: UInt64) {
        if waited > Pairing.pause { end() }
    }

    mutating func end() {
        run = 0
        if isOn { ThreadPlacement.unpin() }
        processor = nil
    }

    private mutating func follow() {
        guard let now = ThreadPlacement.processor(of: client), ThreadPlacement.pin(to: now) else {
            return end()
        }
        processor = now
    }
}

extension sfs_request_header {
    /// Whether somebody sleeps until the answer is there, and nothing is done after it.
    fileprivate var waitsForReply: Bool {
        switch sfs_opcode(opcode) {
        case SFS_OP_FORGET, SFS_OP_BATCH_FORGET, SFS_OP_RELEASE, SFS_OP_RELEASEDIR, SFS_OP_INIT,
            SFS_OP_INTERRUPT:
            false
        default: true
        }
    }
}
