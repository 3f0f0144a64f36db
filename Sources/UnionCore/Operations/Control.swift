public import LinuxSystem
public import SystemPackage

/// ioctl(2) commands whose argument is flat data that means the same in every process. The union refuses all
/// others: an argument may hold pointers or descriptor numbers, and in the server these would be the server's
/// own. Numbers of <linux/fs.h>, as 64-bit and 32-bit clients send them.
private enum FlatCommand: UInt32 {
    case getFlags = 0x8008_6601
    case setFlags = 0x4008_6602
    case getFlags32 = 0x8004_6601
    case setFlags32 = 0x4004_6602
    case getVersion = 0x8008_7601
    case getVersion32 = 0x8004_7601
    case getExtended = 0x801c_581f
    case setExtended = 0x401c_5820
    case getLabel = 0x8100_9431

    var changes: Bool { self == .setFlags || self == .setFlags32 || self == .setExtended }
}

extension Union {
    /// ioctl(2) on an open file, or on a directory (`handle` nil). Returns the command's result, and the
    /// number of bytes in `output`. ENOTTY: the command isn't known to be safe.
    public func control(
        _ id: NodeID, handle: HandleID?, command: UInt32, argument: UInt64,
        input: UnsafeRawBufferPointer, output: UnsafeMutableRawBufferPointer, _ caller: CallerIdentity
    ) throws(Errno) -> (result: Int32, outputCount: Int) {
        guard let known = FlatCommand(rawValue: command) else { throw .inappropriateIOCTLForDevice }
        let file = try controlled(id, handle)
        if known.changes { try layers.checkWritable(file.layer) }
        let room = 512
        return try unsafe withTemporaryBytes(room) { scratch throws(Errno) -> (Int32, Int) in
            unsafe scratch.copyMemory(from: UnsafeRawBufferPointer(rebasing: input.prefix(room)))
            let result = try caller.perform(exact: true) { () throws(Errno) -> Int32 in
                try unsafe file.descriptor.control(command, argument: scratch.baseAddress)
            }
            if known.changes, let node = try? resolver.node(id) { reporting.dropAttributes(of: node) }
            let count = min(output.count, room)
            unsafe output.copyMemory(from: UnsafeRawBufferPointer(rebasing: scratch[..<count]))
            return (result, count)
        }
    }

    private func controlled(_ id: NodeID, _ handle: HandleID?) throws(Errno) -> LocatedObject {
        if let handle {
            let file = try file(handle)
            return try LocatedObject(layer: stack[file.layer], open: file.descriptor.duplicated())
        }
        let located = try resolver.object(of: resolver.node(id))
        let opened = try located.descriptor.openBeneath("", flags: [.readOnly, .directory])
        return LocatedObject(layer: located.layer, object: opened, status: located.status)
    }
}

/// Lends zeroed bytes on the stack.
private func withTemporaryBytes<R>(
    _ count: Int, _ body: (UnsafeMutableRawBufferPointer) throws(Errno) -> R
) throws(Errno) -> R {
    let result: Result<R, Errno> = unsafe withUnsafeTemporaryAllocation(byteCount: count, alignment: 8) {
        bytes in
        unsafe bytes.initializeMemory(as: UInt8.self, repeating: 0)
        do throws(Errno) {
            return .success(try unsafe body(bytes))
        } catch {
            return .failure(error)
        }
    }
    return try result.get()
}
