/// One reply: struct fuse_out_header and its body, which the kernel would take or refuse.
struct Reply {
    let unique: UInt64
    /// An errno; 0: none. Of notifications something else.
    let error: Int
    private let body: ArraySlice<UInt8>

    init(taking rest: inout ArraySlice<UInt8>) {
        let length = Int(little(rest, 0, 4))
        if rest.count < 16 || length < 16 || length > rest.count {
            fail("requests: a reply of \(length) bytes")
        }
        error = -Int(Int32(truncatingIfNeeded: little(rest, 4, 4)))
        unique = little(rest, 8, 8)
        body = rest.prefix(length).dropFirst(16)
        rest = rest.dropFirst(length)
    }

    func word(_ offset: Int) -> UInt64 { little(body, offset, 8) }

    /// What fs/fuse/dev.c and its callers refuse, and what nobody may ever see.
    func check(_ opcode: UInt64) {
        if !(0..<512).contains(error) { fail("requests: errno \(error) to opcode \(opcode)") }
        if error != 0 && !body.isEmpty { fail("requests: an error with a body to opcode \(opcode)") }
        if holdsCanary { fail("requests: opcode \(opcode) shows what is outside the layers") }
        guard error == 0 else { return }
        if let size = Self.fixedSize(opcode), body.count != size {
            fail("requests: \(body.count) bytes to opcode \(opcode), not \(size)")
        }
        switch opcode {
        case 1, 6, 8, 9, 13, 35, 51: checkEntry(at: 0, opcode)
        case 3, 4: checkAttributes(at: 16, opcode)
        case 28: checkListing(opcode)
        case 44: checkListing(opcode, entrySize: 128)
        default: break
        }
    }

    private var holdsCanary: Bool {
        guard body.count >= Layers.canary.count else { return false }
        let first = Layers.canary.first
        return body.indices.contains { body[$0] == first && body[$0...].starts(with: Layers.canary) }
    }

    private static func fixedSize(_ opcode: UInt64) -> Int? {
        switch opcode {
        case 1, 6, 8, 9, 13: 128
        case 3, 4: 104
        case 35, 51: 144
        case 14, 27: 16
        case 16, 40, 46, 47: 8
        case 17: 80
        case 31: 24
        case 10, 11, 12, 18, 20, 21, 24, 25, 29, 30, 32, 34, 43, 45: 0
        default: nil
        }
    }

    /// struct fuse_entry_out; node 0 says that there is nothing, or that nothing is told.
    private func checkEntry(at offset: Int, _ opcode: UInt64) {
        let node = word(offset)
        if node == 0 && [1, 44].contains(opcode) { return }
        if node <= 1 { fail("requests: opcode \(opcode) gives node \(node)") }
        checkAttributes(at: offset + 40, opcode)
    }

    /// struct fuse_attr, by fuse_invalid_attr of fs/fuse/dir.c.
    private func checkAttributes(at offset: Int, _ opcode: UInt64) {
        let size = word(offset + 8)
        let mode = little(body, offset + 60, 4)
        let kinds: [UInt64] = [0o010000, 0o020000, 0o040000, 0o060000, 0o100000, 0o120000, 0o140000]
        if size > UInt64(Int64.max) || !kinds.contains(mode & 0o170000) {
            fail("requests: opcode \(opcode) gives size \(size), mode \(mode)")
        }
        for field in 0..<3 where little(body, offset + 48 + field * 4, 4) >= 1_000_000_000 {
            fail("requests: opcode \(opcode) gives a time of a second and more nanoseconds")
        }
    }

    /// Entries of struct fuse_dirent, each after a struct fuse_entry_out in struct fuse_direntplus, by parse_dirfile
    /// of fs/fuse/readdir.c.
    private func checkListing(_ opcode: UInt64, entrySize: Int = 0) {
        var offset = 0
        while body.count - offset >= entrySize + 24 {
            if entrySize > 0 { checkEntry(at: offset, opcode) }
            offset += entrySize
            let length = Int(little(body, offset + 16, 4))
            let name = body.dropFirst(offset + 24).prefix(length)
            if length == 0 || length > 1024 || name.count < length || name.contains(0x2f) || name.contains(0)
            {
                fail("requests: a listing with the name \(Array(name))")
            }
            offset += 24 + (length + 7) & ~7
        }
    }
}
