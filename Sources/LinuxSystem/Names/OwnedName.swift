internal import Glibc

/// A copy of a name's bytes, in one allocation.
@safe public struct OwnedName: ~Copyable, @unchecked Sendable {
    // Sendable: the bytes never change, and only their one owner frees them.
    private let storage: UnsafeMutablePointer<CChar>
    public let count: Int

    public init(copying name: PathRef) {
        unsafe self.init(bytes: name.bytes)
    }

    /// The first `count` bytes of `name`, at most all.
    public init(copying name: PathRef, count: Int) {
        unsafe self.init(bytes: UnsafeRawBufferPointer(start: name.base, count: min(count, name.count)))
    }

    /// The UTF-8 of `string`.
    public init(_ string: String) {
        self.init(Array(string.utf8))
    }

    public init(_ bytes: [UInt8]) {
        unsafe storage = unsafe bytes.withUnsafeBytes { unsafe OwnedName.copy($0) }
        count = bytes.count
    }

    private init(bytes: UnsafeRawBufferPointer) {
        unsafe storage = unsafe OwnedName.copy(bytes)
        count = bytes.count
    }

    private static func copy(_ bytes: UnsafeRawBufferPointer) -> UnsafeMutablePointer<CChar> {
        let copy = UnsafeMutablePointer<CChar>.allocate(capacity: bytes.count + 1)
        if let source = bytes.baseAddress { unsafe memcpy(copy, source, bytes.count) }
        unsafe copy[bytes.count] = 0
        return unsafe copy
    }

    deinit { unsafe storage.deallocate() }

    /// The bytes, valid as long as this value. A value that has no name of its own goes before the bytes are used.
    public var ref: PathRef { unsafe PathRef(unsafe: storage, count: count) }

    /// What `PathRef` says of the bytes.
    public var string: String { ref.string }
    public var array: [UInt8] { ref.array }
    public var hash: UInt64 { ref.hash }
}
