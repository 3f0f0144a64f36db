internal import CFuse3
internal import CFuseShims
internal import LinuxSystem
internal import Logging
internal import Synchronization
internal import UnionCore

/// What all worker threads of a mount share.
final class Server: Sendable {
    let union: Union
    let options: ServerOptions
    let device: Device
    let logger: Logger
    let counters = RequestCounters()
    let errors = ErrorCounters()
    let interrupter = Interrupter()
    let polls: PollWatcher
    let lockWaiters: LockWaiters
    let negotiation: Negotiation

    init(union: Union, options: ServerOptions, device: Device, backing: DeviceBackingStore, logger: Logger) {
        self.union = union
        self.options = options
        self.device = device
        self.logger = logger
        polls = PollWatcher(logger: logger)
        lockWaiters = LockWaiters(union, interrupter, errors)
        negotiation = Negotiation(
            mode: options.passthrough, depth: union.stackDepth, device: device, backing: backing)
    }

    /// Notes INIT's request, and what its reply is to get.
    func prepareInit(_ request: sfs_init_request) {
        let (flags, depth) = negotiation.begin(request)
        sfs_complete_init(flags, depth)
    }

    /// A request too short to be one, or of another length than it says.
    func dropped(_ length: Int) {
        logger.error("a malformed request of \(length) bytes")
    }

    func log(_ header: sfs_request_header, error: Int32) {
        logger.debug(
            "\(Opcode.name(header.opcode)) node \(header.node) pid \(header.pid): \(error == 0 ? "ok" : "errno \(error)")"
        )
    }
}
