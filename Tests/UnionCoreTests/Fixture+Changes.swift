import LinuxSystem
import SystemPackage
import Testing
import UnionCore

extension Fixture {
    /// Walks a union path as the kernel does. The lookup counts stay: the fixture ends soon.
    func node(_ path: String) throws(Errno) -> NodeID {
        var node = NodeID.root
        for name in path.split(separator: "/") {
            let name = OwnedName(String(name))
            node = try union.lookup(node, name.ref, root).entry.node
        }
        return node
    }

    /// The directory of a path; the name in it is `lastName`.
    func parent(of path: String) throws(Errno) -> NodeID {
        try node(path.split(separator: "/").dropLast().joined(separator: "/"))
    }

    func lastName(of path: String) -> OwnedName {
        OwnedName(String(path.split(separator: "/").last ?? ""))
    }

    func attributes(_ path: String) throws(Errno) -> Attributes {
        try union.attributes(of: node(path), handle: nil).0
    }

    func error(_ body: () throws(Errno) -> Void) -> Errno? {
        do throws(Errno) {
            try body()
            return nil
        } catch {
            return error
        }
    }

    func exists(_ path: String) -> Bool { (try? node(path)) != nil }

    func create(_ path: String, mode: UInt32 = 0o644, text: String = "") throws(Errno) {
        let parent = try self.parent(of: path)
        let name = lastName(of: path)
        let flags = OpenFlags.writeOnly.union([.create, .exclusive]).rawValue
        let (_, file) = try union.create(parent, name.ref, mode: mode, flags: flags, root)
        if !text.isEmpty { try write(file.handle, text) }
        union.release(file.handle)
    }

    func write(_ handle: HandleID, _ text: String) throws(Errno) {
        let bytes = OwnedName(text)
        _ = unsafe try union.write(handle, at: 0, from: bytes.ref.bytes, killPrivileges: false, root)
    }

    func mkdir(_ path: String, mode: UInt32 = 0o755) throws(Errno) {
        let parent = try self.parent(of: path)
        let name = lastName(of: path)
        _ = try union.makeDirectory(parent, name.ref, mode: mode, root)
    }

    func unlink(_ path: String) throws(Errno) {
        let parent = try self.parent(of: path)
        let name = lastName(of: path)
        try union.unlink(parent, name.ref, root)
    }

    func rmdir(_ path: String) throws(Errno) {
        let parent = try self.parent(of: path)
        let name = lastName(of: path)
        try union.removeDirectory(parent, name.ref, root)
    }

    func rename(_ path: String, _ newPath: String, flags: UInt32 = 0) throws(Errno) {
        let parent = try self.parent(of: path)
        let name = lastName(of: path)
        let newParent = try self.parent(of: newPath)
        let newName = lastName(of: newPath)
        try union.rename(parent, name.ref, to: newParent, newName.ref, flags: flags, root)
    }

    func link(_ path: String, _ newPath: String) throws(Errno) {
        let parent = try self.parent(of: newPath)
        let name = lastName(of: newPath)
        _ = try union.link(node(path), to: parent, name.ref, root)
    }
}
