internal import CFuseShims

/// The layout of a request's body: a fixed part, then names, each with its NUL, or counted bytes.
///
/// libfuse believes what a request says of itself. Here that is compared with the bytes that there are. So a
/// request that was cut off, or says that it holds more than it does, is never read beyond its end.
struct RequestShape {
    /// The bytes of the fixed part. If old kernels have shorter layouts, the bytes of those.
    private var fixed = 0
    private var names = 0
    /// Where the fixed part tells how many items follow, as 32 bits, and how large one is.
    private var counted: (offset: Int, size: Int)?

    private init(_ fixed: Int = 0, names: Int = 0, counted: (offset: Int, size: Int)? = nil) {
        self.fixed = fixed
        self.names = names
        self.counted = counted
    }

    /// The shape for an opcode that libfuse decodes. An opcode that it doesn't know has no shape, and is
    /// answered with ENOSYS.
    init(_ opcode: UInt32) {
        switch opcode {
        case Opcode.lookup, Opcode.unlink, Opcode.removeDirectory, Opcode.removeXattr:
            self.init(names: 1)
        case Opcode.symlink: self.init(names: 2)
        case Opcode.forget, Opcode.open, Opcode.openDirectory, Opcode.listXattrs, Opcode.access,
            Opcode.interrupt:
            self.init(8)
        case Opcode.makeDirectory, Opcode.link, Opcode.getXattr: self.init(8, names: 1)
        case Opcode.rename: self.init(8, names: 2)
        case Opcode.forgetMany: self.init(8, counted: (0, 16))
        case Opcode.getAttributes, Opcode.synchronize, Opcode.synchronizeDirectory, Opcode.initialize,
            Opcode.blockMap:
            self.init(16)
        case Opcode.makeNode, Opcode.create: self.init(16, names: 1)
        case Opcode.renameFlags: self.init(16, names: 2)
        case Opcode.release, Opcode.releaseDirectory, Opcode.flush, Opcode.poll, Opcode.seek: self.init(24)
        case Opcode.control: self.init(32, counted: (24, 1))
        case Opcode.allocate: self.init(32)
        case Opcode.read, Opcode.readDirectory, Opcode.readDirectoryPlus: self.init(40)
        case Opcode.write: self.init(40, counted: (16, 1))
        case Opcode.getLock, Opcode.setLock, Opcode.setLockWait: self.init(48)
        case Opcode.copyRange: self.init(56)
        case Opcode.setAttributes: self.init(88)
        case Opcode.setXattr: self.init(8, names: 1, counted: (0, 1))
        default: self.init()
        }
    }

    /// Whether the request holds all that it says.
    func fits(_ request: RawRequest) -> Bool {
        guard var rest = unsafe request.rest(after: fixed) else { return false }
        for _ in 0..<names {
            guard let end = unsafe rest.firstIndex(of: 0) else { return false }
            unsafe rest = unsafe UnsafeRawBufferPointer(rebasing: rest[(end + 1)...])
        }
        guard let counted else { return true }
        guard let count = request.word(at: counted.offset) else { return false }
        return Int(count) * counted.size <= rest.count
    }
}

extension RawRequest {
    /// 32 bits of the body. nil: the request is too short.
    fileprivate func word(at offset: Int) -> UInt32? {
        guard let bytes = unsafe rest(after: offset), bytes.count >= 4 else { return nil }
        return unsafe bytes.loadUnaligned(as: UInt32.self)
    }
}

/// enum fuse_opcode of Linux 6.18's include/uapi/linux/fuse.h, as far as shapes are told apart.
extension Opcode {
    static let lookup: UInt32 = 1
    static let forget: UInt32 = 2
    static let getAttributes: UInt32 = 3
    static let setAttributes: UInt32 = 4
    static let symlink: UInt32 = 6
    static let makeNode: UInt32 = 8
    static let makeDirectory: UInt32 = 9
    static let unlink: UInt32 = 10
    static let removeDirectory: UInt32 = 11
    static let rename: UInt32 = 12
    static let link: UInt32 = 13
    static let open: UInt32 = 14
    static let read: UInt32 = 15
    static let write: UInt32 = 16
    static let release: UInt32 = 18
    static let synchronize: UInt32 = 20
    static let setXattr: UInt32 = 21
    static let getXattr: UInt32 = 22
    static let listXattrs: UInt32 = 23
    static let removeXattr: UInt32 = 24
    static let flush: UInt32 = 25
    static let initialize: UInt32 = 26
    static let openDirectory: UInt32 = 27
    static let readDirectory: UInt32 = 28
    static let releaseDirectory: UInt32 = 29
    static let synchronizeDirectory: UInt32 = 30
    static let getLock: UInt32 = 31
    static let setLock: UInt32 = 32
    static let setLockWait: UInt32 = 33
    static let access: UInt32 = 34
    static let create: UInt32 = 35
    static let interrupt: UInt32 = 36
    static let blockMap: UInt32 = 37
    static let destroy: UInt32 = 38
    static let control: UInt32 = 39
    static let poll: UInt32 = 40
    static let notifyReply: UInt32 = 41
    static let forgetMany: UInt32 = 42
    static let allocate: UInt32 = 43
    static let readDirectoryPlus: UInt32 = 44
    static let renameFlags: UInt32 = 45
    static let seek: UInt32 = 46
    static let copyRange: UInt32 = 47

    /// Whether no client waits for an answer. An answer would be taken for another request's.
    static func wantsNoReply(_ opcode: UInt32) -> Bool {
        opcode == forget || opcode == forgetMany || opcode == interrupt || opcode == notifyReply
    }
}
