import LinuxSystem
import UnionCore

/// Feeds requests to a server as the device would, and looks at every reply.
///
/// An input: a byte for the kind of union, then requests: opcode, node, handle, caller, length of the body, body.
/// Node and handle say which of those that the server has given; what no kernel sends (others, opcodes, bodies
/// of any kind, a header that lies) can be said too.
enum RequestTarget {
    nonisolated(unsafe) private static var scenes: [Scene.Flavour: Scene] = [:]
    nonisolated(unsafe) private static var runs = 0
    nonisolated(unsafe) private static var descriptors: Int?

    static func run(_ input: [UInt8]) {
        guard let kind = input.first else { return }
        let flavours = Scene.Flavour.allCases
        let flavour = flavours[Int(kind) % flavours.count]
        let scene = unsafe scenes[flavour] ?? Scene(flavour)
        var client = Client(scene)
        client.play(input.dropFirst())
        client.leave()
        checkLeft(scene.union)
        unsafe scenes[flavour] = client.hasChanged ? nil : scene
        unsafe runs += 1
        if unsafe runs % 256 == 0 { checkDescriptors() }
    }

    /// Everything was given back.
    private static func checkLeft(_ union: Union) {
        if union.nodeCount != 0 { fail("requests: \(union.nodeCount) nodes are left") }
        let open = union.openFileStatuses
        if !open.isEmpty { fail("requests: \(open.count) files are left open") }
    }

    private static func checkDescriptors() {
        unsafe scenes = [:]
        Layers.checkOutside()
        guard let before = unsafe descriptors else {
            unsafe descriptors = Machine.descriptorCount
            return
        }
        let most = before + 8
        // What is held open for others' walks is closed within two seconds.
        for _ in 0..<300 where Machine.descriptorCount > most { pause(milliseconds: 10) }
        let count = Machine.descriptorCount
        if count > most {
            fail("requests: \(count) descriptors, \(before) before: \(Machine.descriptors)")
        }
    }
}

/// The kernel's part: sends requests, and knows what the server gave it.
struct Client {
    private let scene: Scene
    private var nodes: [UInt64] = [1]
    private var files: [UInt64] = []
    private var directories: [UInt64] = []
    private var serial: UInt64 = 2
    /// INTERRUPTs may be answered later.
    private var interrupts: Set<UInt64> = []
    /// Something may have been changed in the layers.
    private(set) var hasChanged = false

    init(_ scene: Scene) {
        self.scene = scene
        send(Request(opcode: Request.initialize, node: 0, body: Request.initBody))
    }

    mutating func play(_ script: ArraySlice<UInt8>) {
        var rest = script
        var count = 0
        while rest.count >= 5, count < 64 {
            let head = Array(rest.prefix(5))
            let body = Array(rest.dropFirst(5).prefix(Int(head[4])))
            rest = rest.dropFirst(5 + body.count)
            count += 1
            if head[0] == 0xff {
                sendRaw(body)
            } else {
                send(request(head, body))
            }
        }
    }

    private func request(_ head: [UInt8], _ body: [UInt8]) -> Request {
        var request = Request(opcode: Request.opcode(head[0]), node: node(head[1]), body: body)
        request.setCaller(head[3])
        if head[2] < 240 {
            let handles = request.isAboutDirectory ? directories : files
            let handle = handles.isEmpty ? 0 : handles[Int(head[2]) % handles.count]
            request.setHandle(handle, second: files.last ?? 0, node: nodes.last ?? 1)
        }
        return request
    }

    private func node(_ selector: UInt8) -> UInt64 {
        switch selector {
        case 240...: [0, 2, 15, 16, .max, 1 << 63, UInt64(selector)][Int(selector) % 7]
        default: nodes[Int(selector) % nodes.count]
        }
    }

    /// A whole message, its header included, which may be wrong in every way.
    private mutating func sendRaw(_ bytes: [UInt8]) {
        let opcode = bytes.count >= 8 ? little(bytes, 4, 4) : 0
        // It waits for a lock that nobody gives back.
        if opcode == Request.setLockWait { return }
        hasChanged = true
        let unique = bytes.count >= 16 ? little(bytes, 8, 8) : 0
        if opcode == Request.interrupt { interrupts.insert(unique) }
        check(
            scene.answer(bytes), of: opcode, unique: unique,
            isWhole: false)
    }

    private mutating func send(_ request: Request) {
        serial += 2
        if request.changes { hasChanged = true }
        if request.opcode == Request.interrupt { interrupts.insert(serial) }
        check(scene.answer(request.bytes(unique: serial)), of: request.opcode, unique: serial, isWhole: true)
    }

    private mutating func check(_ answer: [UInt8], of opcode: UInt64, unique: UInt64, isWhole: Bool) {
        var rest = answer[...]
        var count = 0
        while !rest.isEmpty {
            let reply = Reply(taking: &rest)
            if reply.unique == 0 && isWhole { continue }
            if reply.unique != unique {
                if interrupts.contains(reply.unique) { continue }
                fail("requests: a reply to \(reply.unique), asked was \(unique) of opcode \(opcode)")
            }
            count += 1
            reply.check(opcode)
            take(reply, opcode)
        }
        guard isWhole else { return }
        let wanted = Request.repliesWanted(opcode)
        if !wanted.contains(count) { fail("requests: \(count) replies to opcode \(opcode)") }
    }

    /// What the server has given is used, and given back.
    private mutating func take(_ reply: Reply, _ opcode: UInt64) {
        guard reply.error == 0 else { return }
        switch opcode {
        case 1, 6, 8, 9, 13: take(node: reply.word(0))
        case 35, 51:
            take(node: reply.word(0))
            files.append(reply.word(128))
        case 14: files.append(reply.word(0))
        case 27: directories.append(reply.word(0))
        default: break
        }
    }

    private mutating func take(node: UInt64) {
        if node > 1 { nodes.append(node) }
    }

    /// Gives everything back.
    mutating func leave() {
        for file in files { send(.release(18, file)) }
        for directory in directories { send(.release(29, directory)) }
        for node in Set(nodes) { send(.forget(node)) }
    }
}

/// Little-endian, as FUSE is on every machine that Swift builds for.
func little(_ bytes: some RandomAccessCollection<UInt8>, _ offset: Int, _ size: Int) -> UInt64 {
    bytes.dropFirst(offset).prefix(size).reversed().reduce(0) { $0 << 8 | UInt64($1) }
}
