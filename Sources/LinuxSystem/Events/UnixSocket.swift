internal import CLinux
public import SystemPackage

/// A stream socket in Linux's abstract namespace. It has no file, and goes with its owner.
public struct UnixSocket: ~Copyable, Sendable {
    private let owned: OwnedDescriptor
    public var descriptor: FileDescriptor { owned.descriptor }

    /// A socket that listens under the name. EADDRINUSE: the name is taken.
    public static func listen(abstract name: PathRef, backlog: Int32 = 16) throws(Errno) -> UnixSocket {
        try unsafe UnixSocket(slx_socket_listen(name.base, name.count, backlog))
    }

    /// A connection to the socket of that name. ECONNREFUSED: no process listens.
    public static func connect(abstract name: PathRef) throws(Errno) -> UnixSocket {
        try unsafe UnixSocket(slx_socket_connect(name.base, name.count))
    }

    private init(_ result: Int32) throws(Errno) {
        owned = try OwnedDescriptor(checking: result)
    }

    /// Waits for the next connection to a listening socket.
    public borrowing func accept() throws(Errno) -> UnixSocket {
        try UnixSocket(slx_socket_accept(owned.descriptor.rawValue))
    }

    /// Ends a listening socket: a thread that waits for a connection gets EINVAL, now and later.
    public borrowing func shutDown() throws(Errno) {
        try succeed(slx_socket_shut_down(owned.descriptor.rawValue))
    }

    /// The credentials of the process at the other end when it connected or listened.
    public borrowing func peerCredentials() throws(Errno) -> PeerCredentials {
        var peer = PeerCredentials(pid: 0, uid: 0, gid: 0)
        try unsafe succeed(
            slx_socket_peer(owned.descriptor.rawValue, &peer.pid, &peer.uid, &peer.gid))
        return peer
    }

    /// Sends all bytes, through interruptions. EPIPE, and no signal: the other end has gone.
    public borrowing func send(_ bytes: UnsafeRawBufferPointer) throws(Errno) {
        var sent = 0
        while sent < bytes.count, let base = bytes.baseAddress {
            let result = unsafe slx_socket_send(
                owned.descriptor.rawValue, base + sent, bytes.count - sent)
            if result == -Int64(Errno.interrupted.rawValue) { continue }
            sent += try check(result)
        }
    }

    public borrowing func send(_ bytes: [UInt8]) throws(Errno) {
        let name = OwnedName(bytes)
        try unsafe send(name.ref.bytes)
    }

    /// Receives what has come, at most the buffer's size. Returns the number of bytes; 0 when the other end
    /// has sent all.
    public borrowing func receive(into buffer: UnsafeMutableRawBufferPointer) throws(Errno) -> Int {
        while true {
            let result = unsafe slx_read(owned.descriptor.rawValue, buffer.baseAddress, buffer.count)
            if result == -Int64(Errno.interrupted.rawValue) { continue }
            return try check(result)
        }
    }

    /// Receives all that comes until the other end has sent all.
    public borrowing func receiveAll() throws(Errno) -> [UInt8] {
        try owned.descriptor.readToEnd()
    }
}

/// The process at the other end of a socket.
public struct PeerCredentials: Sendable, Equatable {
    public var pid: Int32
    public var uid: UInt32
    public var gid: UInt32
}
