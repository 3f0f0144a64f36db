import Glibc
public import SystemPackage

extension Sys {
    public static func contents(_ path: TestPath) throws(Errno) -> [UInt8] {
        try open(path).readAll()
    }

    public static func text(_ path: TestPath) throws(Errno) -> String {
        String(decoding: try contents(path), as: UTF8.self)
    }

    /// Writes into an existing file from its beginning, without creating or truncating.
    public static func overwrite(_ path: TestPath, _ text: String) throws(Errno) {
        try open(path, O_WRONLY).write(text)
    }

    /// Makes or replaces a file's content, as `echo text > path`.
    public static func put(_ path: TestPath, _ text: String, mode: UInt32 = 0o644) throws(Errno) {
        let handle = try open(path, O_WRONLY | O_CREAT | O_TRUNC, mode: mode)
        if !text.isEmpty { try handle.write(text) }
    }

    public static func touch(_ path: TestPath, mode: UInt32 = 0o644) throws(Errno) {
        _ = try open(path, O_WRONLY | O_CREAT, mode: mode)
    }

    /// A file of that many bytes, written out.
    public static func fill(_ path: TestPath, count: Int, with byte: UInt8 = 0x61) throws(Errno) {
        let handle = try open(path, O_WRONLY | O_CREAT | O_TRUNC)
        let block = [UInt8](repeating: byte, count: min(count, 1 << 20))
        var left = count
        while left > 0 {
            left -= try handle.write(left < block.count ? Array(block.prefix(left)) : block)
        }
    }

    /// Every missing directory of the path.
    public static func makeDirectories(_ path: TestPath) throws(Errno) {
        if exists(path) { return }
        let parent = path.parent
        if !parent.bytes.isEmpty { try makeDirectories(parent) }
        do {
            try makeDirectory(path)
        } catch {
            if error != .fileExists { throw error }
        }
    }

    /// The tree and all in it, on one file system, never through a symlink. What can't be removed stays.
    public static func removeTree(_ path: TestPath) {
        guard let facts = try? facts(path) else { return }
        guard facts.kind == .directory else {
            try? unlink(path)
            return
        }
        for entry in (try? list(path)) ?? [] {
            let child = path / entry.name
            if entry.kind == .directory {
                guard (try? Sys.facts(child))?.device == facts.device else { continue }
                removeTree(child)
            } else {
                try? unlink(child)
            }
        }
        try? removeDirectory(path)
    }
}
