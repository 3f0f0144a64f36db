internal import LinuxSystem
internal import Synchronization
internal import SystemPackage

/// The union's own marks on directories of an upper without extended attributes (bpffs). They are kept in a
/// file of the work directory. What would be attributes of a directory are entries under its inode number
/// here.
///
/// The file is a log: lines are added, and it is written anew when it is first read. If there is no place for
/// a file, the marks live as long as the union.
final class MarkTable: Sendable {
    /// The key of a directory on the upper's filesystem.
    struct Key: Hashable, Sendable {
        let inode: UInt64
        let birth: Timestamp

        init(_ status: FileStatus) {
            inode = status.inode
            birth = status.born
        }

        init(inode: UInt64, birth: Timestamp) {
            self.inode = inode
            self.birth = birth
        }
    }

    /// The names of marks and their values.
    typealias Values = [String: [UInt8]]

    private struct State: ~Copyable {
        var values: [Key: Values] = [:]
        var log: OwnedDescriptor?
        var isLoaded = false
    }

    /// The device number of the upper's filesystem.
    let device: UInt64
    private let state = Mutex(State())

    init(device: UInt64) { self.device = device }

    /// Whether the table keeps the object's marks.
    func covers(_ status: FileStatus) -> Bool { status.device == device && status.isDirectory }

    /// Takes the log in once, before the first use. `directory` opens the directory with the file. nil: there
    /// is none.
    func load(upper: FileDescriptor, _ directory: () -> OwnedDescriptor?) {
        state.withLock { state in
            guard !state.isLoaded else { return }
            state.isLoaded = true
            guard let directory = directory() else { return }
            var log = MarkLog(in: directory.descriptor)
            log.dropMissing(upper)
            state.values = log.values
            state.log = log.rewritten(in: directory.descriptor)
        }
    }

    func values(of status: FileStatus) -> Values {
        state.withLock { $0.values[Key(status)] ?? [:] }
    }

    /// Sets a mark. A nil value takes it away.
    func set(_ name: String, _ value: [UInt8]?, of status: FileStatus) throws(Errno) {
        let key = Key(status)
        try append(.set(key, name: name, value: value))
        state.withLock { $0.values[key, default: [:]][name] = value }
    }

    /// Forgets a directory that goes: its number may come again.
    func drop(_ status: FileStatus) {
        let key = Key(status)
        guard state.withLock({ $0.values.removeValue(forKey: key) }) != nil else { return }
        try? append(.drop(key))
    }

    /// Adds a line to the log. The lock is held over the write, and no other lock with it: lines must not
    /// mix.
    private func append(_ line: MarkLog.Line) throws(Errno) {
        let result: Result<Void, Errno> = state.withLock { state in
            guard let log = state.log?.descriptor else { return .success(()) }
            return Result { () throws(Errno) in try MarkLog.append(line, to: log) }
        }
        try result.get()
    }
}
