import Glibc
import SwitchTestKit
import SystemPackage

/// What a removed directory answers to whoever works in it and has it open.
enum RemovedDirectory {
    /// The answers, by what was asked, to one who stood in the directory while `remove` took it away.
    static func answers(_ directory: TestPath, _ remove: () throws -> Void) throws -> [String: String] {
        try acting(as: .root, in: directory) {
            let listing = try ListingReader(".")
            let path = try Sys.open(".", Flag.path | Flag.directory)
            try remove()
            var answers = attributes(listing.handle, path)
            answers.merge(contents(listing), uniquingKeysWith: { first, _ in first })
            answers.merge(surroundings(directory.parent), uniquingKeysWith: { first, _ in first })
            return answers
        }
    }

    private static func attributes(_ handle: Handle, _ path: Handle) -> [String: String] {
        let answers: [(String, String)] = [
            ("fstat", answer { "\(try handle.facts().kind), links \(try handle.facts().links)" }),
            ("fstat of a path", answer { "links \(try path.facts().links)" }),
            ("stat of .", answer { "links \(try Sys.facts(".").links)" }),
            (
                "fchmod",
                answer {
                    try handle.changeMode(0o710)
                    return "\(try handle.facts().permissions)"
                }
            ),
            (
                "futimens",
                answer {
                    try handle.changeTimes(accessed: 5_000_000_000, modified: 6_000_000_000)
                    return "\(try handle.facts().modified)"
                }
            ),
            (
                "fchown",
                answer {
                    try handle.changeOwner(uid: 3, gid: 4)
                    return "\(try handle.facts().uid) \(try handle.facts().gid)"
                }
            ),
            ("fsync", answer { "\(try handle.synchronize())" }),
            ("access", answer { "\(try Sys.access(".", R_OK | X_OK))" }),
            ("getxattr", answer { "\(try Sys.xattrText(".", "user.any"))" }),
            ("statfs", answer { "\(try Sys.fileSystem(".").nameLength)" }),
        ]
        return Dictionary(answers, uniquingKeysWith: { first, _ in first })
    }

    private static func contents(_ listing: ListingReader) -> [String: String] {
        let answers: [(String, String)] = [
            ("listing", list { listing }),
            (
                "listing again",
                list {
                    try listing.seek(to: 0)
                    return listing
                }
            ),
            ("opening and listing", list { try ListingReader(".") }),
            ("lookup", answer { "\(try Sys.facts("any").kind)" }),
            ("lookup of what was there", answer { "\(try Sys.facts("inside").kind)" }),
            ("create", answer { "\(try Sys.put("new", "new"))" }),
            ("mkdir", answer { "\(try Sys.makeDirectory("new"))" }),
            ("unlink", answer { "\(try Sys.unlink("any"))" }),
        ]
        return Dictionary(answers, uniquingKeysWith: { first, _ in first })
    }

    private static func surroundings(_ parent: TestPath) -> [String: String] {
        func isParent(_ path: TestPath) throws -> String {
            try Sys.facts(path).inode == Sys.facts(parent).inode ? "the parent" : "something else"
        }
        let answers: [(String, String)] = [
            ("lstat of ..", answer { try isParent("..") }),
            ("lookup in ..", answer { "\(try Sys.facts("../beside").kind)" }),
            (
                "chdir to ..",
                answer {
                    try Sys.changeDirectory("..")
                    return try isParent(".")
                }
            ),
        ]
        return Dictionary(answers, uniquingKeysWith: { first, _ in first })
    }

    private static func answer(_ body: () throws -> String) -> String {
        do {
            return try body()
        } catch {
            return (error as? Errno)?.name ?? "\(error)"
        }
    }

    /// The names. ENOENT is what the kernel says of a directory that it saw go; to programs it is the end.
    private static func list(_ open: () throws -> ListingReader) -> String {
        answer {
            let reader = try open()
            do {
                return "\(try reader.rest().map(\.name).filter { $0 != "." && $0 != ".." })"
            } catch Errno.noSuchFileOrDirectory {
                return "[]"
            }
        }
    }
}
