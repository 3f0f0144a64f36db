internal import LinuxSystem
internal import Synchronization
internal import SystemPackage

/// The flags of an open file that fcntl(2) can change, as far as the real file must follow: the kernel says with
/// each read and write which are set now.
///
/// O_APPEND isn't among them: a write that appends says so itself (`FileHandle.write`), so that two requests
/// with different flags, as the kernel's own page by page ones are, don't get into each other's way.
final class FollowedFlags: Sendable {
    private let mask: Int32
    private let current: Atomic<Int32>

    /// `keepsAccessTime`: by the mount's options, whatever the caller says.
    init(_ flags: OpenFlags, _ io: HandleIO, keepsAccessTime: Bool) {
        var followed: OpenFlags = .nonBlocking
        if !keepsAccessTime { followed.insert(.noAccessTime) }
        // Elsewhere there may be requests that aren't aligned, and the real file is without O_DIRECT.
        if case .mapped = io { followed.insert(.direct) }
        mask = followed.rawValue
        current = Atomic(flags.rawValue & followed.rawValue)
    }

    /// Gives the real file what the request came with.
    @inline(__always)
    func follow(_ flags: OpenFlags, _ file: FileDescriptor) {
        let wanted = flags.rawValue & mask
        guard current.load(ordering: .relaxed) != wanted else { return }
        change(to: wanted, file)
    }

    private func change(to wanted: Int32, _ file: FileDescriptor) {
        current.store(wanted, ordering: .relaxed)
        guard let now = try? file.getFlags() else { return }
        // The kernel has judged the caller already. What the real file can't do, it goes on without.
        try? file.setFlags(OpenFlags(rawValue: now.rawValue & ~mask | wanted))
    }
}

extension OpenFlags {
    /// What the kernel opens a passed-through file with, it keeps: where fcntl(2) may take it away again, reads and
    /// writes come to the server instead.
    var isFixedInPassthrough: Bool { contains(.append) || contains(.direct) }
}
