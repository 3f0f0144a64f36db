import LinuxSystem
import Synchronization
import UnionCore

/// Writes down names, byte by byte.
final class NameSink: ChangeSink {
    private let seen = Mutex<[[UInt8]]>([])
    var names: [[UInt8]] { seen.withLock { $0 } }

    func changed(_ event: ChangeEvent) {
        let name = unsafe Array(event.name.bytes)
        seen.withLock { $0.append(name) }
    }

    func overflowed() {}
    func mountsChanged() {}
}
