import LinuxSystem
import SystemPackage
import Testing
import UnionCore

extension Fixture {
    func read(_ path: String) throws(Errno) -> String {
        let file = try union.open(node(path), flags: 0, root)
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 4096, alignment: 1)
        defer {
            unsafe buffer.deallocate()
            union.release(file.handle)
        }
        let count = unsafe try union.read(file.handle, at: 0, into: buffer, root)
        return unsafe String(decoding: buffer[..<count], as: UTF8.self)
    }

    /// Names and inode numbers, without the dots.
    func listing(_ path: String) throws(Errno) -> [String: UInt64] {
        let opened = try union.openDirectory(node(path), root)
        var items: [(name: String, inode: UInt64)] = []
        try union.readDirectory(opened, offset: 0, root) { item in
            if !item.name.isDots { items.append((item.name.string, item.inode)) }
            return true
        }
        union.releaseDirectory(opened)
        let found = [String: UInt64](items) { first, _ in first }
        #expect(found.count == items.count, "a name was listed twice")
        return found
    }

    func names(_ path: String) throws(Errno) -> [String] { try listing(path).keys.sorted() }

    /// What a lookup in a directory ends with, as the kernel asks: upon ESTALE once more. nil: it finds the name.
    /// `isKnown`: the kernel knows the name and checks that first, and takes any error for "no more".
    func lookupError(_ directory: NodeID, _ name: PathRef, isKnown: Bool = false) -> Errno? {
        let look = { () throws(Errno) in _ = try self.union.lookup(directory, name, root) }
        if isKnown, error(look) == nil { return nil }
        let first = error(look)
        return first == .staleNFSFileHandle ? error(look) : first
    }
}
