internal import CFuseShims
internal import LinuxSystem
internal import Logging
package import SystemPackage
package import UnionCore

/// A server without a kernel: it is given requests as bytes, and its replies are read from a file.
///
/// For the fuzz target, which says what no kernel ever would. Belongs to the thread that makes it.
package final class OfflineServer {
    private let server: Server
    private let session: SessionPointer
    private let channel: Channel

    /// `replies` is taken for the device: a file, which replies are written to one behind the other.
    package init(union: Union, replies: FileDescriptor) throws(Errno) {
        var options = ServerOptions(mountPoint: "/")
        options.passthrough = .off
        let logger = Logger(label: "switchfs-fuzz") { _ in SwiftLogNoOpLogHandler() }
        server = Server(
            union: union, options: options, device: Device(OwnedDescriptor(owning: replies)),
            backing: DeviceBackingStore(), logger: logger)
        // Nobody answers but the calling thread.
        _ = server.lockWaiters.end(within: 0)
        guard let session = SessionPointer(server) else { throw .noMemory }
        self.session = session
        channel = try Channel(server: server)
        try ThreadSetup.prepareRequestThread()
        try Signals.installInterruptHandler()
    }

    deinit {
        server.interrupter.end()
        server.polls.end()
        server.union.stopCoherence()
        unsafe sfs_session_destroy(session.pointer)
    }

    /// Answers one request, whatever it is; what doesn't fit into a worker's buffer is cut off.
    package func answer(_ request: UnsafeRawBufferPointer) {
        channel.enterThread()
        defer { channel.leaveThread() }
        let length = unsafe channel.take(request)
        unsafe channel.answer(session.pointer, length: length)
    }
}
