import SwitchTestKit
import SystemPackage

/// What a client can see of one name, and keeps: everything but the access time.
struct ShownObject: Equatable, CustomStringConvertible {
    var kind: FileFacts.Kind
    var inode: UInt64
    var mode: UInt32
    var links: UInt32
    var uid: UInt32
    var size: UInt64
    var modified: Int64
    var changed: Int64
    /// A symlink's.
    var target: TestPath?

    init(_ facts: FileFacts, target: TestPath? = nil) {
        kind = facts.kind
        inode = facts.inode
        mode = facts.mode
        links = facts.links
        uid = facts.uid
        size = facts.size
        modified = facts.modified
        changed = facts.changed
        self.target = target
    }

    /// Looks at the name now; nil: there is none.
    init?(at path: TestPath) throws(Errno) {
        do throws(Errno) {
            let facts = try Sys.facts(path)
            self.init(facts, target: facts.kind == .symlink ? try Sys.readLink(path) : nil)
        } catch {
            guard error == .noSuchFileOrDirectory || error == .notDirectory else { throw error }
            return nil
        }
    }

    /// The same object, whatever its attributes are.
    func isSameObject(as other: ShownObject) -> Bool { kind == other.kind && inode == other.inode }

    var description: String {
        "\(kind) i\(inode) \(String(mode, radix: 8)) n\(links) u\(uid) s\(size) m\(modified) c\(changed)"
            + (target.map { " -> \($0)" } ?? "")
    }
}

/// An entry of a listing, without its position.
struct ShownEntry: Hashable, Comparable, CustomStringConvertible {
    var name: TestPath
    var inode: UInt64
    var kind: FileFacts.Kind

    static func < (left: ShownEntry, right: ShownEntry) -> Bool { left.name < right.name }

    var description: String { "\(name):\(kind):\(inode)" }
}

/// What a whole union shows, of the names that can be there.
struct ShownTree {
    var objects: [TestPath: ShownObject] = [:]
    /// Of each directory, sorted; the root's under the empty path.
    var listings: [TestPath: [ShownEntry]] = [:]
}
