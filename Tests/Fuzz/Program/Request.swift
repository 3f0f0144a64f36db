import Glibc

/// One request: struct fuse_in_header of <linux/fuse.h> and its body.
struct Request {
    static let setLock: UInt64 = 32
    static let setLockWait: UInt64 = 33
    static let initialize: UInt64 = 26
    static let interrupt: UInt64 = 36

    var opcode: UInt64
    var node: UInt64
    var body: [UInt8]
    private var uid: UInt64 = 0
    private var gid: UInt64 = 0
    private var pid = UInt64(getpid())

    init(opcode: UInt64, node: UInt64, body: [UInt8] = []) {
        self.opcode = opcode
        self.node = node
        self.body = body
    }

    static func release(_ opcode: UInt64, _ handle: UInt64) -> Request {
        Request(opcode: opcode, node: 1, body: bytes(handle, 8) + bytes(0, 16))
    }

    static func forget(_ node: UInt64) -> Request {
        Request(opcode: 2, node: node, body: bytes(1 << 40, 8))
    }

    /// struct fuse_init_in: as a new kernel has it, which offers everything.
    static var initBody: [UInt8] {
        bytes(7, 4) + bytes(41, 4) + bytes(1 << 17, 4) + bytes(0x7fff_ffff, 4) + bytes(0x1ff, 4)
            + bytes(0, 44)
    }

    /// Known ones, mostly.
    static func opcode(_ byte: UInt8) -> UInt64 {
        switch byte {
        case UInt8(setLockWait): setLock
        case 0..<56: UInt64(byte)
        case 240: 4096
        case 241: UInt64(UInt32.max)
        default: UInt64(frequent[Int(byte) % frequent.count])
        }
    }

    private static let frequent: [UInt8] = [
        1, 3, 4, 6, 8, 9, 10, 11, 12, 13, 14, 15, 16, 21, 22, 23, 24, 27, 28, 35, 39, 42, 43, 44, 45, 46, 47,
        51,
    ]

    mutating func setCaller(_ byte: UInt8) {
        let ids: [UInt64] = [0, 1000, 65534, 0xffff_fffe]
        uid = ids[Int(byte & 3)]
        gid = ids[Int(byte >> 2 & 3)]
        pid = [UInt64(getpid()), 0, 1, 0x7fff_ffff][Int(byte >> 4 & 3)]
    }

    /// Of directories' handles.
    var isAboutDirectory: Bool { [28, 29, 30, 44].contains(opcode) }

    /// May change a layer, as far as this tells.
    var changes: Bool {
        ![1, 2, 3, 5, 15, 17, 18, 20, 22, 23, 25, 26, 27, 28, 29, 30, 34, 40, 42, 44, 46].contains(opcode)
    }

    /// Puts a handle where the layout has one; a body that is too short keeps what it has.
    mutating func setHandle(_ handle: UInt64, second: UInt64, node: UInt64) {
        switch opcode {
        case 3, 4: put(handle, at: 8)
        case 15, 16, 18, 20, 25, 28, 29, 30, 31, 32, 39, 40, 43, 44, 46: put(handle, at: 0)
        case 47:
            put(handle, at: 0)
            put(node, at: 16)
            put(second, at: 24)
        case 13: put(node, at: 0)
        case 12, 45: put(node, at: 0)
        default: break
        }
    }

    private mutating func put(_ value: UInt64, at offset: Int) {
        guard body.count >= offset + 8 else { return }
        body.replaceSubrange(offset..<offset + 8, with: Self.bytes(value, 8))
    }

    func bytes(unique: UInt64) -> [UInt8] {
        Self.bytes(UInt64(40 + body.count), 4) + Self.bytes(opcode, 4) + Self.bytes(unique, 8)
            + Self.bytes(node, 8) + Self.bytes(uid, 4) + Self.bytes(gid, 4) + Self.bytes(pid, 4)
            + Self.bytes(0, 4) + body
    }

    static func bytes(_ value: UInt64, _ size: Int) -> [UInt8] {
        (0..<size).map { $0 < 8 ? UInt8(truncatingIfNeeded: value >> UInt64($0 * 8)) : 0 }
    }

    /// How many replies a request gets.
    static func repliesWanted(_ opcode: UInt64) -> ClosedRange<Int> {
        switch opcode {
        case 2, 41, 42: 0...0
        case interrupt: 0...1
        default: 1...1
        }
    }
}
