internal import LinuxSystem
internal import Synchronization
internal import SystemPackage

/// What decides, besides writes in the cgroups of a layer, which control files these have: which hierarchy each
/// controller is bound to, which modules there are, and what the layer's root gets from the cgroup that it is
/// in.
///
/// Of these there are no events. So they are looked at when the table of mounts has changed, when somebody
/// asks, and each ten seconds. It is two small files to read, and two for each layer. The lock is a leaf.
final class Controllers: Sendable {
    /// Milliseconds from one look to the next.
    private static let interval: UInt64 = 10_000

    /// A fingerprint. 0: no cgroup is watched.
    private let known = Atomic<UInt64>(0)
    /// When to look next, in milliseconds of the monotonic clock.
    private let next = Atomic<UInt64>(0)
    private let roots = Mutex<[FileDescriptor]>([])

    var areLookedAt: Bool { known.load(ordering: .relaxed) != 0 }

    /// A layer's root is about to be watched, which stays open. What it shows depends on its parent's
    /// `cgroup.subtree_control`, and on the types of those above it.
    func addRoot(_ root: FileDescriptor) { roots.withLock { $0.append(root) } }

    /// A cgroup is about to be watched. True: it is the first one.
    func begin() -> Bool {
        guard !areLookedAt else { return false }
        let now = fingerprint
        return known.compareExchange(expected: 0, desired: now, ordering: .sequentiallyConsistent).exchanged
    }

    /// Milliseconds until the next look; -1: there needn't be any.
    var timeout: Int32 {
        guard areLookedAt else { return -1 }
        let (now, next) = (Self.now, next.load(ordering: .relaxed))
        return next > now ? Int32(clamping: next - now) : 0
    }

    var isDue: Bool { timeout == 0 }

    /// Looks at them. nil: nobody needs to know.
    func look() -> UInt64? {
        guard areLookedAt else { return nil }
        next.store(Self.now + Self.interval, ordering: .relaxed)
        return fingerprint
    }

    /// Notes what a look saw. True: it differs from the one noted before.
    func note(_ look: UInt64) -> Bool { known.exchange(look, ordering: .sequentiallyConsistent) != look }

    private static var now: UInt64 { monotonicNanoseconds() / 1_000_000 }

    /// Never 0.
    private var fingerprint: UInt64 {
        // name, hierarchy, number of cgroups, whether it is enabled
        var text = Self.columns(.workingDirectory, "/proc/cgroups", omitting: 2)
        // name, size, number of users, users, state, …
        text += Self.columns(.workingDirectory, "/proc/modules", upTo: 1)
        for root in roots.withLock({ $0 }) {
            text += Self.columns(root, "cgroup.controllers")
            text += Self.columns(root, "cgroup.type")
        }
        let bytes = OwnedName(text)
        return bytes.hash | 1
    }

    /// The file's columns, counted from 0, without what changes all the time.
    private static func columns(
        _ directory: FileDescriptor, _ path: PathRef, omitting left: Int = .max, upTo end: Int = .max
    ) -> [UInt8] {
        guard let file = try? directory.openPlain(path, flags: .readOnly),
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
                if end == .max { kept.append(byte) }
            } else if column < end && column != left {
                kept.append(byte)
            }
        }
        return kept
    }
}
