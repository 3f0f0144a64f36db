internal import LinuxSystem
internal import Synchronization
internal import SystemPackage

/// The thread that makes the system calls on the mount. It is told what to do by another one, which waits.
///
/// It has a table of open files of its own, in which the device isn't. A thread that waits for an answer of its own
/// server can't be killed. If it held the device open, the connection wouldn't end with the process, and nobody
/// would get that answer any more: a server that is killed would stay, and all its clients with it.
///
/// The locks are leaves.
final class Lister: Sendable {
    enum Order {
        /// Goes to the mount, if it is still the same one.
        case arrive
        /// Opens a directory by its path.
        case open([UInt8])
        /// Looks the name up, and reads the next part of the directory.
        case read([UInt8])
        case close
        /// Lets go of the mount.
        case leave
        case end
    }

    /// In bytes; enough for the most files of one answer.
    private static let bufferSize = 64 * 1024

    private struct State {
        var order = Order.leave
        var isDone = false
    }

    private let mountPoint: OwnedName
    private let device: UInt64
    /// Where directories are read from.
    private let offset: Int64
    private let state = Mutex(State())
    private let ordered = Semaphore()
    private let answered = Semaphore()
    private let number = Atomic<Int32>(0)
    private let thread = Mutex<WorkerThread?>(nil)

    /// Throws where the server may not clone the mount (EPERM).
    init(mountPoint: String, offset: Int64) throws(Errno) {
        self.mountPoint = OwnedName(Array(mountPoint.utf8))
        self.offset = offset
        device = try MountClone(of: self.mountPoint.ref).device()
    }

    /// The thread's number.
    var threadNumber: Int32 { number.load(ordering: .relaxed) }

    /// ENOSYS: there is no close_range(2), which came with Linux 5.9.
    func start() throws(Errno) {
        let started = try WorkerThread.spawn(name: "switchfs-lister", stackSize: 256 * 1024) { [self] in run()
        }
        answered.wait()
        thread.withLock { $0 = started }
        if !state.withLock({ $0.isDone }) {
            end()
            throw .noFunction
        }
    }

    func end() {
        guard let thread = thread.withLock({ $0.take() }) else { return }
        _ = carryOut(.end)
        thread.join()
    }

    /// Has an order carried out. False: it failed. One thread gives all orders.
    func carryOut(_ order: Order) -> Bool {
        state.withLock { $0.order = order }
        ordered.raise()
        answered.wait()
        return state.withLock { $0.isDone }
    }

    private func answer(_ isDone: Bool) {
        state.withLock { $0.isDone = isDone }
        answered.raise()
    }

    private func run() {
        number.store(ThreadID.current.rawValue, ordering: .relaxed)
        answer(WorkerThread.leaveOpenFiles())
        var place = Place()
        while true {
            ordered.wait()
            let order = state.withLock { $0.order }
            if case .end = order { break }
            answer((try? carryOut(order, &place)) != nil)
        }
        place.leave()
        answer(true)
    }

    /// What the thread has open.
    private struct Place: ~Copyable {
        var root: OwnedDescriptor?
        var directory: OwnedDescriptor?
        var stream: DirectoryStream?

        mutating func leave() {
            close()
            root = nil
        }

        mutating func close() {
            stream = nil
            directory = nil
        }
    }

    private func carryOut(_ order: Order, _ place: inout Place) throws(Errno) {
        switch order {
        case .arrive:
            let mount = try MountClone(of: mountPoint.ref)
            // Something else may be mounted there by now.
            guard try mount.device() == device else { throw .noSuchFileOrDirectory }
            place.root = mount.takeRoot()
        case .open(let path): try open(path, &place)
        case .read(let name):
            guard let directory = place.directory?.descriptor else { throw .badFileDescriptor }
            let name = OwnedName(name)
            _ = try? directory.exists(at: name.ref)
            try place.stream?.skip()
        case .close: place.close()
        case .leave, .end: place.leave()
        }
    }

    /// The clients that go through the directory have just walked this path, so the kernel knows its names. (By a
    /// handle, it would ask for the directory's name once more.) If another directory is there by now, nothing is told:
    /// the union knows which one is meant.
    private func open(_ path: [UInt8], _ place: inout Place) throws(Errno) {
        guard let root = place.root?.descriptor else { throw .badFileDescriptor }
        let path = OwnedName(path)
        let directory = try root.openBeneath(path.ref, flags: [.readOnly, .directory])
        var stream = DirectoryStream(reading: directory.descriptor, bufferSize: Self.bufferSize)
        try stream.seek(to: offset)
        place.stream = consume stream
        place.directory = consume directory
    }
}
