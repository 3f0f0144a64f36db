import FuseServer
import LayerWatch
import LinuxSystem
import Logging
import Synchronization
import SystemPackage
import UnionCore

/// One mount's life: starts what serves it, and stops that again. The only place that knows the engine, the
/// session with the kernel and the watcher.
///
/// One that exists serves. Once its union is unmounted, `waitForEnd` stops and closes everything.
final class MountServer: Sendable {
    let mountPoint: String
    let union: Union
    private let backing: DeviceBackingStore
    private let session: Session
    /// nil: the user has too many inotify instances, and nothing is watched.
    private let watcher: Watcher?
    private let isReadOnly: Bool
    private let logger: Logger
    private let control = Mutex<ControlServer?>(nil)
    private let roots = Mutex<RootWatch?>(nil)

    /// Mounts, and returns when the union answers. Throws with nothing left: no mount, thread or descriptor.
    init(_ request: MountRequest, debug: Bool, logger: Logger) throws(MountError) {
        self.logger = logger
        mountPoint = request.mountPoint
        isReadOnly = request.configuration.policies.readOnly
        backing = DeviceBackingStore()
        _ = try? ResourceLimits.raiseOpenFiles()
        watcher = try? Watcher()
        do throws(UnionOpenError) {
            union = try Union(configuration: request.configuration, backing: backing, watcher: watcher)
        } catch {
            throw .failure(error.description)
        }
        do throws(SessionError) {
            session = try Session(
                options: ServerOptions(request, debug: debug), union: union, backing: backing, logger: logger)
        } catch {
            throw .failure(error.description)
        }
        union.deliverNotices { NoticeText.log($0, to: logger) }
        do throws(MountError) {
            try start()
        } catch {
            session.stop()
            end()
            throw error
        }
    }

    /// What can be done without is told of, and isn't there then.
    private func start() throws(MountError) {
        do throws(Errno) {
            try watcher?.start(union.changeSink)
            try union.startCoherence(session.notifier)
        } catch {
            throw .failure("cannot start a thread: \(error)")
        }
        do throws(SessionError) {
            try session.start()
        } catch {
            throw .failure(error.description)
        }
        startControl()
        watchRoots()
    }

    /// Stops in the reverse order what `start` has started, however far it got: to stop what wasn't started does
    /// nothing. The union is unmounted.
    private func end() {
        roots.withLock { $0.take() }?.stop()
        control.withLock { $0.take() }?.stop()
        session.endThreads()
        union.stopCoherence()
        watcher?.stop()
        session.close()
    }

    /// Unmounts, which ends `waitForEnd`. From any thread that serves no request.
    func stop() {
        session.stop()
    }

    /// Returns when the union is unmounted, however that was done, and everything is stopped and closed. Once.
    func waitForEnd() {
        session.waitForEnd()
        end()
    }

    /// What the union itself is mounted on is covered by it, as it was meant to be.
    private func watchRoots() {
        let roots = union.layerRoots.filter { root in
            root.path != mountPoint && !root.path.hasPrefix(mountPoint == "/" ? "/" : mountPoint + "/")
        }
        do throws(Errno) {
            let watch = try RootWatch(roots) { [weak self] root, change in self?.union.noteRoot(root, change)
            }
            self.roots.withLock { $0 = watch }
        } catch {
            logger.warning("layers that are moved or replaced will not be told of: \(error)")
        }
    }

    /// A mount without its control channel is still a mount: it is told, and goes on.
    private func startControl() {
        guard let place = MountPlace.newest(at: mountPoint) else {
            logger.warning("the mount is not in /proc/self/mountinfo; status and explain will not work")
            return
        }
        do throws(Errno) {
            let server = try ControlServer(major: place.major, minor: place.minor, logger: logger) {
                [weak self] request in
                self?.answer(request) ?? .failure("the mount is ending")
            }
            try server.start()
            control.withLock { $0 = server }
        } catch {
            logger.warning("no control channel, status and explain will not work: \(error)")
        }
    }

    private func answer(_ request: ControlRequest) -> ControlReply {
        do throws(MountError) {
            switch request {
            case .status: return .answer(try JSON.compact(status()))
            case .explain(let path): return .answer(try JSON.compact(explain(path)))
            case .orphans: return .answer(try JSON.compact(orphans()))
            case .sync: union.synchronizeChanges()
            case .restoreOrphan(let id): try restoreOrphan(String(decoding: id, as: UTF8.self))
            case .purgeOrphan(let id): try purgeOrphan(String(decoding: id, as: UTF8.self))
            case .purgeAllOrphans: try purgeAllOrphans()
            case .complete(let path): try setComplete(true, path)
            case .incomplete(let path): try setComplete(false, path)
            }
            return .answer([])
        } catch {
            return .failure(error.message)
        }
    }

    func status() -> MountStatus {
        let layers = union.layerStatuses.map { MountStatus.Layer($0, isUnionReadOnly: isReadOnly) }
        return MountStatus(
            mountpoint: mountPoint, pid: ServerIdentity.pid, version: SwitchFSVersion.current,
            layers: layers,
            passthrough: MountStatus.Passthrough(session.passthrough), counters: counters(),
            openFiles: union.openFileStatuses.map { MountStatus.OpenFile($0) }.sorted { $0.path < $1.path },
            cgroups: ServerCgroups.all(layers))
    }

    private func counters() -> MountStatus.Counters {
        var counters = MountStatus.Counters()
        for (name, count) in session.counters.snapshot() {
            counters.requests[name, default: 0] += count
        }
        for (error, count) in session.errors.snapshot() { counters.errors[error.symbol] = count }
        counters.nodes = UInt64(max(0, union.nodeCount))
        counters.backingFiles = UInt64(max(0, backing.count))
        let coherence = union.coherenceCounters
        counters.watches = UInt64(max(0, coherence.watches))
        counters.events = coherence.events
        counters.overflows = coherence.overflows
        counters.invalidations = coherence.invalidations
        counters.degradedDirectories = UInt64(max(0, coherence.degradedDirectories))
        counters.givenBackWatches = coherence.givenBackWatches
        counters.toldAhead = union.toldAhead
        counters.listings = UInt64(max(0, coherence.listings))
        return counters
    }

    /// A path from the union's root. ENOENT only where a directory on the way isn't there.
    func explain(_ path: [UInt8]) throws(MountError) -> Explanation {
        do throws(Errno) {
            return Explanation(try union.explain(path: path))
        } catch {
            throw .failure("/\(String(decoding: path, as: UTF8.self)): \(error)")
        }
    }
}
