internal import CFuse3
internal import CFuseShims
internal import LinuxSystem
internal import SystemPackage
internal import UnionCore

/// One worker's way to the kernel: a device of its own, a buffer, and the request that it is at.
///
/// A channel belongs to its thread. The operations that libfuse calls there find it again by `serve`.
@safe final class Channel {
    let server: Server
    /// The server's union, to be lent without counting references.
    let unionReference: Unmanaged<Union>
    let interrupt: InterruptSlot
    private let pool: WorkerPool?
    let device: Device
    /// Whether the device is a clone of its own. Then what is set on it concerns no other thread.
    private let isOwn: Bool
    private var isNonBlocking = false
    private let buffer: RequestBuffer
    /// The length of the request in the buffer, in bytes.
    private var requestLength = 0
    /// A SETATTR's `valid` as it came: libfuse clears the bits that it doesn't know in place.
    private(set) var attributeChanges: UInt32 = 0
    /// Whether this thread will read again when it has answered.
    var isReading = false
    var budget: PollBudget
    /// Whether the request was there already when this thread looked.
    var wasWaiting = false
    /// How many such requests came in a row, from clients by turns.
    var backlog = 0
    var lastClient: UInt32 = 0

    /// Makes the calling thread a server of requests. It reads from a clone of the device, so that threads
    /// don't fight for one queue. If there can be no clone, it reads from the device itself.
    init(server: Server, pool: WorkerPool? = nil) throws(Errno) {
        self.server = server
        self.pool = pool
        unsafe unionReference = Unmanaged.passUnretained(server.union)
        buffer = try RequestBuffer()
        let clone = server.device.clone()
        device = clone ?? server.device
        isOwn = clone != nil
        let mayPoll = isOwn && server.options.polling == .auto && ResourceLimits.processorCount > 1
        budget = PollBudget(isAllowed: mayPoll)
        interrupt = InterruptSlot(server.interrupter)
    }

    /// Enters the channel into the thread, so that `serve` finds it.
    func enterThread() {
        unsafe sfs_thread_begin(Unmanaged.passUnretained(self).toOpaque(), device.descriptor.rawValue)
    }

    func leaveThread() {
        sfs_thread_begin(nil, -1)
    }

    /// Waits for the next request and reads it. Returns its length in bytes. EINTR, EAGAIN and ENOENT mean to
    /// try again; ENODEV means that the connection has ended.
    func receive() throws(Errno) -> Int {
        try setNonBlocking(false)
        return try unsafe device.descriptor.readNext(into: buffer.input)
    }

    /// Reads the next request without waiting. Returns its length in bytes. nil: there is none. The errors
    /// are those of `receive`.
    func receiveAtOnce() throws(Errno) -> Int? {
        guard isOwn else { return nil }
        try setNonBlocking(true)
        do throws(Errno) {
            return try unsafe device.descriptor.readNext(into: buffer.input)
        } catch .resourceTemporarilyUnavailable {
            return nil
        }
    }

    private func setNonBlocking(_ isNonBlocking: Bool) throws(Errno) {
        guard self.isNonBlocking != isNonBlocking else { return }
        try device.descriptor.setNonBlocking(isNonBlocking)
        self.isNonBlocking = isNonBlocking
    }

    /// Lets another thread read meanwhile: the request takes longer than that thread needs to wake up.
    func handOver() { pool?.handOver(self) }

    /// Runs `body`, which may block for long. An interrupt ends it, and other threads go on.
    @inline(__always)
    func blocking<R>(_ request: fuse_req_t?, _ body: () throws(Errno) -> R) throws(Errno) -> R {
        pool?.mayBlock(self)
        return try unsafe interrupt.interruptible(request, body)
    }

    /// Takes a request from elsewhere than the device. Returns its length in bytes, or that of the part that
    /// fits.
    func take(_ request: UnsafeRawBufferPointer) -> Int {
        let length = unsafe min(request.count, buffer.input.count)
        unsafe buffer.input.copyMemory(from: UnsafeRawBufferPointer(rebasing: request[..<length]))
        return length
    }

    /// The request that is being answered.
    var request: RawRequest {
        unsafe RawRequest(buffer.request, length: requestLength)
    }

    /// Room of at most `size` bytes for the answer, from a page's boundary on.
    func output(_ size: Int) -> UnsafeMutableRawBufferPointer {
        unsafe buffer.output(size: size, behind: requestLength)
    }

    /// Answers the request of `length` bytes in the buffer.
    func answer(_ session: OpaquePointer, length: Int) {
        guard length >= MemoryLayout<sfs_request_header>.size else { return server.dropped(length) }
        requestLength = length
        let request = self.request
        let header = request.header
        guard Int(header.length) == length else {
            _ = sfs_reply(header.unique, Errno.ioError.rawValue, nil, 0)
            return server.dropped(length)
        }
        server.counters.count(header.opcode)
        switch sfs_opcode(header.opcode) {
        case SFS_OP_TMPFILE: handleTemporary(self, request)
        default:
            guard isSound(request, header) else { break }
            prepare(request, header)
            unsafe sfs_session_process(session, buffer.request, length)
        }
        let error = sfs_take_error()
        if error != 0 { server.errors.count(error) }
        if server.options.debug { server.log(header, error: error) }
    }

    /// Whether libfuse may see the request. It mustn't see requests that aren't whole, and those that would
    /// begin or end the connection once more. (DESTROY comes only on a block device's mount, and NOTIFY_REPLY
    /// answers a question that is never asked.)
    private func isSound(_ request: RawRequest, _ header: sfs_request_header) -> Bool {
        let isForeign =
            switch header.opcode {
            case Opcode.initialize: server.negotiation.isDone
            case Opcode.destroy, Opcode.notifyReply: true
            default: false
            }
        if !isForeign, RequestShape(header.opcode).fits(request) { return true }
        if !Opcode.wantsNoReply(header.opcode) {
            _ = sfs_reply(header.unique, Errno.invalidArgument.rawValue, nil, 0)
        }
        server.dropped(requestLength)
        return false
    }

    /// Takes in what must be seen before libfuse changes the request.
    private func prepare(_ request: RawRequest, _ header: sfs_request_header) {
        switch sfs_opcode(header.opcode) {
        case SFS_OP_SETATTR: attributeChanges = request.body(UInt32.self) ?? 0
        case SFS_OP_INIT: if let body = request.body(sfs_init_request.self) { server.prepareInit(body) }
        default: break
        }
    }
}
