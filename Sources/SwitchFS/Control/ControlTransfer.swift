import LinuxSystem
import SystemPackage

/// Receiving with a deadline: neither side may hang on the other.
enum ControlTransfer {
    /// POLLIN of <asm-generic/poll.h>.
    private static let readable: Int16 = 1

    /// Adds what comes next. False: the stream or the time has ended.
    static func receive(
        _ socket: borrowing UnixSocket, onto bytes: inout [UInt8], until deadline: ContinuousClock.Instant
    ) throws(Errno) -> Bool {
        guard try isReadable(socket.descriptor, until: deadline) else { return false }
        var chunk = [UInt8](repeating: 0, count: 16 * 1024)
        let received = unsafe chunk.withUnsafeMutableBytes { buffer in
            Result { () throws(Errno) in try unsafe socket.receive(into: buffer) }
        }
        let count = try received.get()
        bytes.append(contentsOf: chunk[..<count])
        return count > 0
    }

    private static func isReadable(
        _ descriptor: FileDescriptor, until deadline: ContinuousClock.Instant
    ) throws(Errno) -> Bool {
        while true {
            let left = ContinuousClock.now.duration(to: deadline)
            guard left > .zero else { return false }
            let milliseconds =
                left.components.seconds * 1000 + left.components.attoseconds / 1_000_000_000_000_000
            do {
                return try descriptor.poll(events: readable, timeout: Int32(clamping: milliseconds + 1)) != 0
            } catch Errno.interrupted {
                continue
            }
        }
    }
}
