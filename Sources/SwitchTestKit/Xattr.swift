import CTestCalls
import Glibc
public import SystemPackage

extension Sys {
    /// Of the object itself, a symlink's too.
    public static func xattr(_ path: TestPath, _ name: String) throws(Errno) -> [UInt8] {
        var buffer = [UInt8](repeating: 0, count: 65536)
        let capacity = buffer.count
        let count = try path.call { unsafe tc_getxattr($0, name, &buffer, capacity) }
        return Array(buffer.prefix(count))
    }

    public static func xattrText(_ path: TestPath, _ name: String) throws(Errno) -> String {
        String(decoding: try xattr(path, name), as: UTF8.self)
    }

    public static func setXattr(
        _ path: TestPath, _ name: String, _ value: String, flags: Int32 = 0
    ) throws(Errno) {
        try setXattr(path, name, bytes: Array(value.utf8), flags: flags)
    }

    public static func setXattr(
        _ path: TestPath, _ name: String, bytes: [UInt8], flags: Int32 = 0
    ) throws(Errno) {
        try path.call { unsafe tc_setxattr($0, name, bytes, bytes.count, flags) }
    }

    public static func removeXattr(_ path: TestPath, _ name: String) throws(Errno) {
        try path.call { unsafe tc_removexattr($0, name) }
    }

    /// The names, sorted.
    public static func xattrs(_ path: TestPath) throws(Errno) -> [String] {
        var buffer = [CChar](repeating: 0, count: 65536)
        let capacity = buffer.count
        let count = try path.call { unsafe tc_listxattr($0, &buffer, capacity) }
        return buffer.prefix(count).split(separator: 0)
            .map { String(decoding: $0.map { UInt8(bitPattern: $0) }, as: UTF8.self) }
            .sorted()
    }
}

/// A POSIX ACL in the kernel's form (`system.posix_acl_access`, `system.posix_acl_default`).
public struct PosixACL: Sendable {
    public enum Tag: Sendable {
        case owner
        case user(UInt32)
        case group
        case namedGroup(UInt32)
        case mask
        case other
    }

    /// In the order that the kernel wants: owner, users, group, groups, mask, other.
    public var entries: [(tag: Tag, rights: UInt16)]

    public init(_ entries: [(tag: Tag, rights: UInt16)]) {
        self.entries = entries
    }

    public static let access = "system.posix_acl_access"
    public static let `default` = "system.posix_acl_default"

    public var bytes: [UInt8] {
        var all: [UInt8] = [2, 0, 0, 0]
        for (tag, rights) in entries {
            let (code, id): (UInt16, UInt32) =
                switch tag {
                case .owner: (0x01, .max)
                case .user(let id): (0x02, id)
                case .group: (0x04, .max)
                case .namedGroup(let id): (0x08, id)
                case .mask: (0x10, .max)
                case .other: (0x20, .max)
                }
            for value in [code, rights] {
                all += [UInt8(value & 0xff), UInt8(value >> 8)]
            }
            all += (0..<4).map { UInt8(id >> (8 * $0) & 0xff) }
        }
        return all
    }
}
