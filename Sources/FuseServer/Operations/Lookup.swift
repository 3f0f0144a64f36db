internal import CFuse3
internal import LinuxSystem
internal import SystemPackage
internal import UnionCore

/// LOOKUP: the node that a name denotes, with one lookup count.
func handleLookup(_ request: fuse_req_t?, _ parent: fuse_ino_t, _ name: UnsafePointer<CChar>?) {
    unsafe serve(request) { _, union, caller, reply in
        do throws(Errno) {
            let found = try unsafe union.lookup(NodeID(parent), PathRef(name: name), caller)
            reply.entry(found.entry, of: union)
            found.finish()
        } catch {
            reply.error(error)
        }
    }
}

/// FORGET: the kernel gives lookup counts back.
func handleForget(_ request: fuse_req_t?, _ node: fuse_ino_t, _ count: UInt64) {
    unsafe serve(request) { _, union, _, reply in
        union.forget(NodeID(node), count: count)
        reply.nothing()
    }
}

/// BATCH_FORGET.
func handleForgetMany(
    _ request: fuse_req_t?, _ count: Int, _ forgets: UnsafeMutablePointer<fuse_forget_data>?
) {
    unsafe serve(request) { _, union, _, reply in
        for index in 0..<count {
            guard let forget = unsafe forgets?[index] else { break }
            union.forget(NodeID(forget.ino), count: forget.nlookup)
        }
        reply.nothing()
    }
}
