import Glibc
import SwitchTestKit
import SystemPackage

/// One call of the suite, on paths relative to its scenario's directory.
enum PosixCall: Sendable {
    case make(Kind, TestPath)
    case chmod(TestPath, UInt32)
    case chown(TestPath, UInt32, UInt32)
    case lchown(TestPath, UInt32, UInt32)
    case link(TestPath, TestPath)
    case mkdir(TestPath, UInt32)
    case mknod(TestPath, UInt32, UInt32, UInt32)
    case open(TestPath, Int32, UInt32, [FileAction])
    case rename(TestPath, TestPath, UInt32)
    case rmdir(TestPath)
    case symlink(TestPath, TestPath)
    case truncate(TestPath, Int64)
    case unlink(TestPath)
    case utimens(TestPath, Int64, Int64, follow: Bool)
    case readlink(TestPath)
    case access(TestPath, Int32)
    case list(TestPath)
    case stat(TestPath)
    case lstat(TestPath)
    case statfs(TestPath)
    /// Gives it the attribute `user.parity`.
    case xattr(TestPath)

    /// What an object can be.
    enum Kind: String, CaseIterable, Sendable {
        case file, directory, fifo, socket, character, block, symlink

        static let notSymlink = allCases.filter { $0 != .symlink }
    }

    /// Makes the call; what it gives besides success, as text.
    ///
    /// ELOOP is asked for again: the kernel follows 40 links in one call, and goes on counting where it starts its walk
    /// anew, which it does when anybody mounts something meanwhile. Where there are too many, it stays at that.
    func perform() throws -> String {
        for _ in 1..<Self.mostWalks {
            do {
                return try performOnce()
            } catch let error as Errno where error == .tooManySymbolicLinkLevels {}
        }
        return try performOnce()
    }

    private static var mostWalks: Int { 8 }

    private func performOnce() throws -> String {
        switch self {
        case .make(let kind, let path): try Self.build(kind, path)
        case .chmod(let path, let mode): try Sys.changeMode(path, mode)
        case .chown(let path, let uid, let gid): try Sys.changeOwner(path, uid: uid, gid: gid, follow: true)
        case .lchown(let path, let uid, let gid): try Sys.changeOwner(path, uid: uid, gid: gid)
        case .link(let old, let new): try Sys.link(old, new)
        case .mkdir(let path, let mode): try Sys.makeDirectory(path, mode: mode)
        case .mknod(let path, let mode, let major, let minor):
            try Sys.makeNode(path, mode: mode, major: major, minor: minor)
        case .open(let path, let flags, let mode, let actions):
            let handle = try Sys.open(path, flags, mode: mode)
            return actions.map { $0.outcome(on: handle) }.joined(separator: " ")
        case .rename(let old, let new, let flags): try Sys.rename(old, new, flags: flags)
        case .rmdir(let path): try Sys.removeDirectory(path)
        case .symlink(let target, let path): try Sys.makeSymlink(path, to: target)
        case .truncate(let path, let size): try Sys.truncate(path, to: size)
        case .unlink(let path): try Sys.unlink(path)
        case .utimens(let path, let accessed, let modified, let follow):
            try Sys.changeTimes(path, accessed: accessed, modified: modified, follow: follow)
        case .readlink(let path): return try Sys.readLink(path).text
        case .access(let path, let mode): try Sys.access(path, mode)
        case .list(let path): return try Sys.names(path).map(\.text).joined(separator: " ")
        case .stat(let path): return try Sys.facts(path, follow: true).kind.rawValue
        case .lstat(let path): return try Sys.facts(path).kind.rawValue
        case .xattr(let path): try Sys.setXattr(path, "user.parity", "old")
        case .statfs(let path): return "\(try Sys.fileSystem(path).nameLength)"
        }
        return ""
    }

    private static func build(_ kind: Kind, _ path: TestPath) throws {
        switch kind {
        case .file: try Sys.put(path, "0123456789")
        case .directory: try Sys.makeDirectory(path)
        case .fifo: try Sys.makeFifo(path)
        case .socket: try Sys.makeNode(path, mode: S_IFSOCK | 0o644)
        case .character: try Sys.makeNode(path, mode: S_IFCHR | 0o644, major: 1, minor: 3)
        case .block: try Sys.makeNode(path, mode: S_IFBLK | 0o644, major: 7, minor: 200)
        case .symlink: try Sys.makeSymlink(path, to: "nowhere")
        }
    }
}

/// A call on an open file.
enum FileAction: Sendable {
    case read(Int)
    case write(String)
    case writeAt(String, Int64)
    case truncate(Int64)
    case chmod(UInt32)
    case chown(UInt32, UInt32)
    case times(Int64)
    case allocate(Int32, Int64, Int64)
    case unlink(TestPath)
    case rename(TestPath, TestPath)
    case facts
    case seek(Int64, Int32)
    case synchronize

    func outcome(on handle: Handle) -> String {
        do {
            switch self {
            case .read(let count): return String(decoding: try handle.read(count), as: UTF8.self)
            case .write(let text): return "\(try handle.write(text))"
            case .writeAt(let text, let offset): return "\(try handle.write(Array(text.utf8), at: offset))"
            case .truncate(let size): try handle.truncate(to: size)
            case .chmod(let mode): try handle.changeMode(mode)
            case .chown(let uid, let gid): try handle.changeOwner(uid: uid, gid: gid)
            case .times(let time): try handle.changeTimes(modified: time)
            case .allocate(let mode, let offset, let length):
                try handle.allocate(mode, offset: offset, length: length)
            case .unlink(let path): try Sys.unlink(path)
            case .rename(let old, let new): try Sys.rename(old, new)
            case .facts:
                let facts = try handle.facts()
                let size = facts.kind == .directory ? 0 : facts.size
                return "\(facts.kind) \(String(facts.permissions, radix: 8)) \(facts.links) \(size)"
            case .seek(let offset, let whence): return "\(try handle.seek(offset, whence))"
            case .synchronize: try handle.synchronize()
            }
            return "ok"
        } catch {
            return error.name
        }
    }
}
