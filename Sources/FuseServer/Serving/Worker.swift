internal import CFuseShims
internal import LinuxSystem
internal import Logging
internal import SystemPackage

/// What a wait for a request brought.
enum Received {
    case request(length: Int)
    case nothing
    /// Other threads wait already: this thread isn't needed now.
    case surplus
    /// The connection has ended: unmounted, aborted or stopped.
    case end
    /// The device can't be read from, though the connection may last.
    case failure
}

extension Channel {
    /// Serves requests as a reader until the connection ends or other threads do it. False: the connection
    /// has ended.
    func serveRequests(_ session: OpaquePointer, _ pool: WorkerPool) -> Bool {
        isReading = true
        while true {
            switch nextRequest(pool) {
            case .request(let length):
                noteBacklog(pool)
                unsafe answer(session, length: length)
            case .nothing: continue
            case .surplus: return true
            case .end:
                pool.leaveReading()
                pool.stop()
                return false
            case .failure:
                pool.leaveReading()
                pool.fail()
                return false
            }
            if !isReading, !pool.rejoinReading(self) { return true }
        }
    }

    /// Waits for one request. All that may ever block for long or spin is here.
    private func nextRequest(_ pool: WorkerPool) -> Received {
        let others = pool.beginWaiting()
        do throws(Errno) {
            guard !pool.isStopping else { throw .operationNotSupportedByDevice }
            guard let length = try look(pool, isOnly: others == 0) else { return .surplus }
            // This comes before a look at the request, which may take for ever.
            pool.endWaiting()
            return .request(length: length)
        } catch {
            pool.endWaiting()
            switch error {
            // This is a signal, or nothing was there after all, or a request was taken back between its
            // read's two halves.
            case .interrupted, .resourceTemporarilyUnavailable, .noSuchFileOrDirectory: return .nothing
            case .operationNotSupportedByDevice: return .end
            default:
                server.logger.error("reading from the FUSE device: \(error)")
                return .failure
            }
        }
    }

    /// Reads a request: at once, or after looking for a while, or after sleeping. nil: another thread sleeps
    /// there already, so this one stops waiting.
    private func look(_ pool: WorkerPool, isOnly: Bool) throws(Errno) -> Int? {
        let begin = monotonicNanoseconds()
        let window = budget.window(at: begin)
        if isOnly, window == 0 { return try sleep(from: begin) }
        if let length = try receiveAtOnce() {
            wasWaiting = true
            budget.arrived(after: 0)
            return length
        }
        wasWaiting = false
        if let length = try poll(from: begin, for: window) { return length }
        if !isOnly, pool.tryLeaveWaiting() { return nil }
        return try sleep(from: begin)
    }

    /// Reads a request, perhaps after sleeping. A thread that doesn't look needn't switch the device to and
    /// fro.
    private func sleep(from begin: UInt64) throws(Errno) -> Int {
        let length = try receive()
        let waited = monotonicNanoseconds() &- begin
        wasWaiting = waited < Channel.noSleep
        budget.arrived(after: waited)
        return length
    }

    /// In nanoseconds: in less time no thread sleeps and is woken.
    private static var noSleep: UInt64 { 4000 }

    /// Adds a reader after requests that were there already, each of another client than the one before.
    private func noteBacklog(_ pool: WorkerPool) {
        let client = request.header.pid
        defer { lastClient = client }
        guard wasWaiting else {
            backlog = 0
            return
        }
        guard client != 0, client != lastClient else { return }
        backlog += 1
        guard backlog >= Channel.longBacklog else { return }
        pool.addReader(atMost: pool.mostReaders)
    }

    private static var longBacklog: Int { 4 }

    /// Looks again and again, for as long as that pays. nil: no request came.
    private func poll(from begin: UInt64, for window: UInt64) throws(Errno) -> Int? {
        var now = begin
        let end = begin &+ window
        while now < end {
            let length = try receiveAtOnce()
            let last = now
            now = monotonicNanoseconds()
            if let length {
                budget.arrived(after: now &- begin)
                return length
            }
            if budget.isPreempted(last, now) { return nil }
        }
        return nil
    }
}
