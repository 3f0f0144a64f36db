internal import LinuxSystem
internal import Synchronization
internal import SystemPackage

/// What decides, besides writes in cgroups, which control files they have: which hierarchy each controller is
/// bound to, and which modules there are.
///
/// Of neither there are events. So both are looked at when the table of mounts has changed, when somebody
/// asks, and each `interval`. It is two small files to read.
final class Controllers: Sendable {
    /// A fingerprint of the two files. 0: no cgroup is watched.
    private let known = Atomic<UInt64>(0)

    /// Milliseconds from one look to the next; -1: there needn't be any.
    var interval: Int32 { known.load(ordering: .relaxed) == 0 ? -1 : 10_000 }

    /// A cgroup is about to be watched. True: it is the first one.
    func begin() -> Bool {
        guard known.load(ordering: .relaxed) == 0 else { return false }
        return known.compareExchange(
            expected: 0, desired: Self.fingerprint, ordering: .sequentiallyConsistent
        ).exchanged
    }

    /// Whether they differ from those at the last look.
    func haveChanged() -> Bool {
        guard known.load(ordering: .relaxed) != 0 else { return false }
        let now = Self.fingerprint
        return known.exchange(now, ordering: .sequentiallyConsistent) != now
    }

    /// Never 0.
    private static var fingerprint: UInt64 {
        // name, hierarchy, number of cgroups, whether it is enabled
        let controllers = columns("/proc/cgroups", besides: 2)
        // name, size, number of users, users, state, …
        let modules = columns("/proc/modules", upTo: 1)
        var hash: UInt64 = 0xcbf2_9ce4_8422_2325
        for byte in controllers + modules { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01b3 }
        return hash | 1
    }

    /// The file's columns, counted from 0, without what changes all the time.
    private static func columns(_ path: PathRef, besides left: Int = .max, upTo end: Int = .max) -> [UInt8] {
        guard let file = try? FileDescriptor.workingDirectory.openPlain(path, flags: .readOnly),
            let bytes = try? file.descriptor.readToEnd()
        else { return [] }
        var kept: [UInt8] = []
        var column = 0
        for byte in bytes {
            if byte == UInt8(ascii: "\n") {
                column = 0
                kept.append(byte)
            } else if byte == UInt8(ascii: "\t") || byte == UInt8(ascii: " ") {
                column += 1
            } else if column < end && column != left {
                kept.append(byte)
            }
        }
        return kept
    }
}
