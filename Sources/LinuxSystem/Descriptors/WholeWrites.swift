public import SystemPackage

extension FileDescriptor {
    /// Writes all of the bytes at the open file's own offset, and syncs the file.
    public func writeForGood(_ bytes: [UInt8]) throws(Errno) {
        var rest = bytes[...]
        while !rest.isEmpty { rest = rest.dropFirst(max(try writeNext(rest), 1)) }
        try synchronize(dataOnly: true)
    }

    /// One write(2) of the bytes. Returns how many were written.
    public func writeNext(_ bytes: ArraySlice<UInt8>) throws(Errno) -> Int {
        let result: Result<Int, Errno> = unsafe bytes.withUnsafeBytes { buffer in
            Result { () throws(Errno) in try unsafe writeNext(from: buffer) }
        }
        return try result.get()
    }

    /// Whether the entry `name` is a symbolic link to just that target.
    public func isLink(_ name: PathRef, to target: PathRef) -> Bool {
        unsafe withUnsafeTemporaryAllocation(byteCount: target.count + 1, alignment: 1) { buffer in
            guard let length = try? unsafe readLink(at: name, into: buffer), length == target.count
            else { return false }
            for index in 0..<length where unsafe buffer[index] != target[index] { return false }
            return true
        }
    }
}
