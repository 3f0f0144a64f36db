public import SystemPackage

/// A list of attribute names as the kernel gives it: each ends with a NUL, and the next one follows.
@safe public struct XattrList {
    private let bytes: UnsafeRawBufferPointer

    init(_ bytes: UnsafeRawBufferPointer) { unsafe self.bytes = unsafe bytes }

    /// Lends each name in turn.
    public func forEachName(_ body: (PathRef) -> Void) {
        guard let base = unsafe bytes.baseAddress?.assumingMemoryBound(to: CChar.self) else { return }
        var start = 0
        for end in unsafe 0..<bytes.count where unsafe bytes[end] == 0 {
            body(unsafe PathRef(unsafe: base + start, count: end - start))
            start = end + 1
        }
    }
}

extension FileDescriptor {
    /// Lends the list of the extended attributes' names. It is empty if there are none or can't be any.
    public func withXattrList<R>(at name: PathRef, _ body: (XattrList) -> R) -> R {
        let small = 1024
        let first: R? = unsafe withUnsafeTemporaryAllocation(byteCount: small, alignment: 1) { buffer in
            do {
                let length = try unsafe listXattrs(at: name, into: buffer)
                return body(unsafe XattrList(UnsafeRawBufferPointer(rebasing: buffer[..<min(length, small)])))
            } catch Errno.outOfRange {
                return nil
            } catch {
                return body(unsafe XattrList(UnsafeRawBufferPointer(start: nil, count: 0)))
            }
        }
        if let first { return first }
        let largest = 65536  // XATTR_LIST_MAX, <linux/limits.h>
        return unsafe withUnsafeTemporaryAllocation(byteCount: largest, alignment: 1) { buffer in
            let length = (try? unsafe listXattrs(at: name, into: buffer)) ?? 0
            return body(unsafe XattrList(UnsafeRawBufferPointer(rebasing: buffer[..<min(length, largest)])))
        }
    }
}
