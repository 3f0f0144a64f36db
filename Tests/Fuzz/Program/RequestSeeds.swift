/// Requests that a kernel could send, by union and subject.
enum RequestSeeds {
    static var all: [[UInt8]] {
        scripts.flatMap { script in (0..<3).map { [UInt8($0)] + script.flatMap { $0 } } }
    }

    private static var scripts: [[[UInt8]]] {
        [
            [lookup("file"), open(1), read, step(17), step(23, node: 1, body: word(64))],
            [
                lookup("both"), step(27, node: 1, body: word(0)), list, list, lookup("a", in: 1),
                step(3, node: 2, body: zeros(16)),
            ],
            [
                lookup("dir"), make(9, "new", in: 1), make(8, "node", in: 1), named(6, "link\0to"),
                named(11, "dir"),
            ],
            [lookup("dir"), lookup("inner", in: 1), named(10, "inner", in: 1), named(11, "deep", in: 1)],
            [
                create("made"), write("hello"), read, step(46, body: zeros(8) + word(0) + word(3)), allocate,
                fsync,
            ],
            [
                create("one"), create("two"), write("hello"), copy, rename("one", "three"),
                exchange("two", "file"),
            ],
            [
                lookup("file"), lookup("top"), link("top2", node: 2), setXattr("user.a", "value"),
                getXattr("user.a"),
            ],
            [
                lookup("file"), chmod, truncate, step(24, node: 1, body: name("user.switchfs.layer")),
                step(5, node: 1),
            ],
            [
                lookup("out"), step(5, node: 1), lookup("secret", in: 1), step(27, node: 1, body: word(0)),
                list,
            ],
            [listFiles, lookup("file"), lookup("both"), lookup("a"), lookup("out"), listFiles, listFiles],
            [
                lookup("both"), lookup("secret", in: 1), step(5, node: 2), open(2),
                step(4, node: 2, body: zeros(88)),
            ],
            [
                temporary, write("nameless"), lock, control, step(40, body: zeros(24)),
                step(36, body: word(4)),
            ],
            [step(255, body: zeros(40)), step(42, body: word(1) + word(1) + word(1)), named(1, "..")],
            [
                named(1, "../outside"), named(10, "out/secret"), rename("file", "../x"), create("out/made"),
                lookup(""),
            ],
            [
                create("a/b"), named(1, "."), make(9, "..", in: 0), link("../y", node: 0),
                lookup(String(repeating: "n", count: 250)),
            ],
        ]
    }

    private static func step(_ opcode: UInt8, node: UInt8 = 0, body: [UInt8] = []) -> [UInt8] {
        [opcode, node, 0, 0, UInt8(min(body.count, 255))] + body.prefix(255)
    }

    private static func word(_ value: UInt64) -> [UInt8] { Request.bytes(value, 8) }
    private static func half(_ value: UInt64) -> [UInt8] { Request.bytes(value, 4) }
    private static func zeros(_ count: Int) -> [UInt8] { [UInt8](repeating: 0, count: count) }
    private static func name(_ name: String) -> [UInt8] { Array(name.utf8) + [0] }

    private static func named(_ opcode: UInt8, _ text: String, in node: UInt8 = 0) -> [UInt8] {
        step(opcode, node: node, body: name(text))
    }

    private static func lookup(_ text: String, in node: UInt8 = 0) -> [UInt8] { named(1, text, in: node) }
    private static func open(_ node: UInt8) -> [UInt8] { step(14, node: node, body: half(2) + half(0)) }

    private static func make(_ opcode: UInt8, _ text: String, in node: UInt8) -> [UInt8] {
        let mode: UInt64 = opcode == 8 ? 0o010644 : 0o755
        return step(opcode, node: node, body: half(mode) + half(0) + zeros(opcode == 8 ? 8 : 0) + name(text))
    }

    private static func create(_ text: String) -> [UInt8] {
        step(35, body: half(0o102) + half(0o100644) + half(0o22) + half(0) + name(text))
    }

    private static var temporary: [UInt8] {
        step(51, body: half(0o20_200_002) + half(0o100600) + half(0) + half(0) + name(""))
    }

    private static var read: [UInt8] { step(15, body: word(0) + word(0) + half(4096) + zeros(20)) }
    private static var listFiles: [UInt8] { step(44, body: word(0) + word(0) + half(4096) + zeros(20)) }
    private static var list: [UInt8] { step(28, body: word(0) + word(0) + half(4096) + zeros(20)) }
    private static var fsync: [UInt8] { step(20, body: zeros(16)) }

    private static func write(_ text: String) -> [UInt8] {
        step(16, body: word(0) + word(3) + half(UInt64(text.utf8.count)) + zeros(20) + Array(text.utf8))
    }

    private static var allocate: [UInt8] { step(43, body: word(0) + word(0) + word(8192) + word(1)) }
    private static var copy: [UInt8] {
        step(47, body: word(0) + word(0) + word(0) + word(0) + word(2) + word(3) + word(0))
    }

    private static func rename(_ from: String, _ to: String) -> [UInt8] {
        step(12, node: 0, body: word(1) + name(from) + name(to))
    }

    private static func exchange(_ from: String, _ to: String) -> [UInt8] {
        step(45, node: 0, body: word(1) + half(2) + half(0) + name(from) + name(to))
    }

    private static func link(_ text: String, node: UInt8) -> [UInt8] {
        step(13, node: 0, body: word(UInt64(node)) + name(text))
    }

    private static func setXattr(_ attribute: String, _ value: String) -> [UInt8] {
        let head = half(UInt64(value.utf8.count)) + half(0) + zeros(8)
        return step(21, node: 1, body: head + name(attribute) + Array(value.utf8))
    }

    private static func getXattr(_ attribute: String) -> [UInt8] {
        step(22, node: 1, body: half(256) + half(0) + name(attribute))
    }

    private static var chmod: [UInt8] { setAttributes(1, mode: 0o4711, size: 0) }
    private static var truncate: [UInt8] { setAttributes(8, mode: 0, size: 5) }

    /// struct fuse_setattr_in.
    private static func setAttributes(_ valid: UInt64, mode: UInt64, size: UInt64) -> [UInt8] {
        step(
            4, node: 1,
            body: half(valid) + half(0) + word(0) + word(size) + zeros(44) + half(mode) + zeros(16))
    }

    private static var lock: [UInt8] {
        step(32, body: word(0) + word(7) + word(1) + word(9) + half(1) + half(1) + zeros(8))
    }
    private static var control: [UInt8] {
        step(39, body: word(0) + half(0) + half(0x8008_6601) + word(0) + half(0) + half(8))
    }
}
