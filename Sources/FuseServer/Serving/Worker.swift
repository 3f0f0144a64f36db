internal import LinuxSystem
internal import Logging
internal import SystemPackage

/// What a wait for a request brought.
enum Received {
    case request(length: Int)
    case nothing
    /// The connection has ended: unmounted, aborted or stopped.
    case end
}

extension Channel {
    /// The wait for one request: all that may ever block for long or spin is here.
    func nextRequest(_ pool: WorkerPool) -> Received {
        pool.beginWaiting()
        do throws(Errno) {
            guard !pool.isStopping else { throw .operationNotSupportedByDevice }
            let length = try receive()
            // Before the request is looked at: it may take for ever.
            if pool.endWaiting() == 0 { pool.takeShortage() }
            return .request(length: length)
        } catch {
            pool.endWaiting()
            switch error {
            // A signal; nothing there after all; a request taken back between its read's two halves.
            case .interrupted, .resourceTemporarilyUnavailable, .noSuchFileOrDirectory: return .nothing
            case .operationNotSupportedByDevice: return .end
            default:
                server.logger.error("reading from the FUSE device: \(error)")
                return .end
            }
        }
    }

    /// Serves requests until the connection ends or the pool has threads enough.
    func serveRequests(_ session: OpaquePointer, _ pool: WorkerPool) {
        while true {
            switch nextRequest(pool) {
            case .request(let length): unsafe answer(session, length: length)
            case .nothing: continue
            case .end: return
            }
            if pool.hasSurplus { return }
        }
    }
}
