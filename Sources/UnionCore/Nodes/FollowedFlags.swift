internal import LinuxSystem
internal import Synchronization
internal import SystemPackage

/// The flags of an open file that fcntl(2) can change and the real file must follow. The kernel says with
/// each read and write which are set now.
///
/// O_APPEND isn't among them: a write that appends says so itself (`FileHandle.write`). So two requests with
/// different flags, as the kernel's own page by page ones are, don't get into each other's way.
final class FollowedFlags: Sendable {
    private let mask: Int32
    private let current: Atomic<Int32>

    /// `keepsAccessTime`: the mount's options decide about access times, whatever the caller says.
    init(_ flags: OpenFlags, _ io: HandleIO, keepsAccessTime: Bool) {
        var followed: OpenFlags = .nonBlocking
        if !keepsAccessTime { followed.insert(.noAccessTime) }
        // With other ways there may be requests that aren't aligned, and the real file is without O_DIRECT.
        if case .mapped = io { followed.insert(.direct) }
        mask = followed.rawValue
        current = Atomic(flags.rawValue & followed.rawValue)
    }

    /// Sets the real file's flags to those that the request came with.
    @inline(__always)
    func follow(_ flags: OpenFlags, _ file: FileDescriptor) {
        let wanted = flags.rawValue & mask
        guard current.load(ordering: .relaxed) != wanted else { return }
        change(to: wanted, file)
    }

    private func change(to wanted: Int32, _ file: FileDescriptor) {
        current.store(wanted, ordering: .relaxed)
        guard let now = try? file.getFlags() else { return }
        // The kernel has judged the caller already. Where the real file can't have the flags, it goes on
        // without them.
        try? file.setFlags(OpenFlags(rawValue: now.rawValue & ~mask | wanted))
    }
}

extension OpenFlags {
    /// Whether the flags can't change in passthrough: the kernel keeps those that it opened the file with.
    /// Where fcntl(2) may take such a flag away again, reads and writes come to the server instead.
    var isFixedInPassthrough: Bool { contains(.append) || contains(.direct) }
}
