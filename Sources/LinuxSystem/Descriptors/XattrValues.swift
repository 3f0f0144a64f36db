public import SystemPackage

extension FileDescriptor {
    /// An attribute's value. nil: there is none. The empty name is this object itself.
    public func xattrValue(at name: PathRef, _ attribute: PathRef) -> [UInt8]? {
        let usual = 4096  // nearly all values; a block of ext4
        var bytes = [UInt8](repeating: 0, count: usual)
        do {
            let length = try read(attribute, at: name, into: &bytes)
            return Array(bytes[..<min(length, bytes.count)])
        } catch .outOfRange {
            bytes = [UInt8](repeating: 0, count: 65536)  // XATTR_SIZE_MAX, <linux/limits.h>
            guard let length = try? read(attribute, at: name, into: &bytes) else { return nil }
            return Array(bytes[..<min(length, bytes.count)])
        } catch {
            return nil
        }
    }

    private func read(
        _ attribute: PathRef, at name: PathRef, into bytes: inout [UInt8]
    ) throws(Errno) -> Int {
        let result: Result<Int, Errno> = unsafe bytes.withUnsafeMutableBytes { buffer in
            Result { () throws(Errno) in try unsafe getXattr(at: name, attribute, into: buffer) }
        }
        return try result.get()
    }

    /// The first byte of an attribute's value. nil: there is none, or the value is longer than 8 bytes.
    public func firstByte(at name: PathRef, of attribute: PathRef) -> UInt8? {
        var value = InlineArray<8, UInt8>(repeating: 0)
        var span = value.mutableSpan
        let length = unsafe span.withUnsafeMutableBytes { buffer in
            (try? unsafe getXattr(at: name, attribute, into: buffer)) ?? 0
        }
        return length > 0 ? value[0] : nil
    }

    /// The length of an attribute's value, in bytes. ENODATA: there is none. ENOTSUP: there can be none.
    public func xattrSize(_ attribute: PathRef) throws(Errno) -> Int {
        try unsafe getXattr(attribute, into: .init(start: nil, count: 0))
    }

    /// Sets an attribute of the entry `name`. The empty name is this object itself.
    public func setXattr(at name: PathRef, _ attribute: PathRef, to value: PathRef) throws(Errno) {
        try unsafe setXattr(at: name, attribute, value: value.bytes)
    }

    /// Gives another object this one's value of an attribute. If this one has no value, takes the attribute
    /// away there. Errors are ignored.
    public func copyXattr(_ attribute: PathRef, to target: FileDescriptor) {
        guard let size = try? xattrSize(attribute), size > 0 else {
            try? target.removeXattr(attribute)
            return
        }
        let largest = 65536  // XATTR_SIZE_MAX, <linux/limits.h>
        unsafe withUnsafeTemporaryAllocation(byteCount: largest, alignment: 8) { buffer in
            guard let length = try? unsafe getXattr(attribute, into: buffer) else { return }
            try? unsafe target.setXattr(attribute, value: UnsafeRawBufferPointer(rebasing: buffer[..<length]))
        }
    }
}
