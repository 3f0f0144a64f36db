import Glibc
import SwitchTestKit
import SystemPackage

/// One call on one object, and what is looked at afterwards. Paths are the cell's own: `place` is its directory
/// or the start of its names in a directory that cells share.
struct ParityCell: Sendable {
    let title: String
    /// Made by root in the layer before the union is mounted.
    let setup: [PosixCall]
    let call: ParityCall
    let observed: [TestPath]
    /// Moves data, so that it makes a difference how data moves.
    let isAboutData: Bool
}

/// A call, besides those of the POSIX suite.
enum ParityCall: Sendable {
    case posix(PosixCall)
    case execute(TestPath)
    case getXattr(TestPath, String)
    case setXattr(TestPath, String)
    case removeXattr(TestPath, String)
    case listXattrs(TestPath)

    /// The outcome as text: what the call gives, or the name of its error.
    func outcome() -> String {
        do {
            switch self {
            case .posix(let call): return try "ok " + call.perform()
            case .execute(let path): return try "ok \(Sys.execute(path))"
            case .getXattr(let path, let name): return try "ok " + Sys.xattrText(path, name)
            case .setXattr(let path, let name): try Sys.setXattr(path, name, "new")
            case .removeXattr(let path, let name): try Sys.removeXattr(path, name)
            case .listXattrs(let path): return try "ok " + Sys.xattrs(path).joined(separator: " ")
            }
            return "ok"
        } catch {
            return (error as? Errno)?.name ?? "\(error)"
        }
    }
}

/// The cells of one caller.
enum ParityMatrix {
    static func cells(of caller: ParityCaller) -> [ParityCell] {
        files(caller) + directories(caller)
    }

    private static func octal(_ mode: UInt32) -> String { String(mode, radix: 8) }

    private static let fileModes: [UInt32] = [
        0o000, 0o400, 0o200, 0o100, 0o040, 0o020, 0o010, 0o004, 0o002, 0o001, 0o644, 0o666, 0o751, 0o777,
        0o4755, 0o2755, 0o2766, 0o6777, 0o4022, 0o2060, 0o1666,
    ]

    /// Files of a mode in a directory that everybody may search and nobody else may change.
    private static func files(_ caller: ParityCaller) -> [ParityCell] {
        var cells: [ParityCell] = []
        for mode in fileModes {
            for (name, isAboutData, make) in fileCalls(caller) {
                let path = TestPath("shared/f\(cells.count)")
                cells.append(
                    ParityCell(
                        title: "\(caller): \(name) on a file of \(octal(mode))",
                        setup: file(path, mode, owner: ParityCaller.ownerID) + [.xattr(path)],
                        call: make(path), observed: [path], isAboutData: isAboutData))
            }
        }
        return cells
    }

    /// A script, so that it can be executed; the calls see ordinary data.
    private static func file(_ path: TestPath, _ mode: UInt32, owner: UInt32) -> [PosixCall] {
        [
            .open(path, O_WRONLY | O_CREAT, 0o600, [.write("#!/bin/true\n")]),
            .lchown(path, owner, ParityCaller.group), .chmod(path, mode),
        ]
    }

    private typealias Make = (TestPath) -> ParityCall

    private static func fileCalls(_ caller: ParityCaller) -> [(String, Bool, Make)] {
        let (uid, gid) = (caller.identity.uid, caller.identity.gid)
        let open = { (flags: Int32, actions: [FileAction]) -> Make in
            { .posix(.open($0, flags | O_NONBLOCK, 0, actions)) }
        }
        return [
            ("read", true, open(O_RDONLY, [.read(100)])),
            ("write", true, open(O_WRONLY, [.write("data"), .facts])),
            ("write twice", true, open(O_RDWR, [.write("a"), .writeAt("b", 40), .facts, .read(4)])),
            ("append", true, open(O_WRONLY | O_APPEND, [.write("data"), .facts])),
            ("open to read and write", true, open(O_RDWR, [.facts])),
            ("open to truncate", true, open(O_WRONLY | O_TRUNC, [.facts])),
            ("read and truncate", true, open(O_RDONLY | O_TRUNC, [.facts])),
            ("ftruncate", true, open(O_WRONLY, [.truncate(3), .facts])),
            ("allocate", true, open(O_WRONLY, [.allocate(0, 0, 100), .facts])),
            ("fchmod", false, open(O_RDONLY, [.chmod(0o2751), .facts])),
            ("truncate", true, { .posix(.truncate($0, 5)) }),
            ("execute", false, { .execute($0) }),
            ("chmod", false, { .posix(.chmod($0, 0o640)) }),
            ("chmod with set-id", false, { .posix(.chmod($0, 0o6755)) }),
            ("chown to oneself", false, { .posix(.chown($0, uid, .max)) }),
            ("chgrp to one's own", false, { .posix(.chown($0, .max, gid)) }),
            ("chgrp to the owner's", false, { .posix(.chown($0, .max, ParityCaller.ownersGroup)) }),
            ("chown to the same", false, { .posix(.chown($0, ParityCaller.ownerID, ParityCaller.group)) }),
            ("touch", false, { .posix(.utimens($0, Sys.now, Sys.now, follow: true)) }),
            ("set times", false, { .posix(.utimens($0, 5, 6, follow: true)) }),
            ("access to read", false, { .posix(.access($0, R_OK)) }),
            ("access to write", false, { .posix(.access($0, W_OK)) }),
            ("access to execute", false, { .posix(.access($0, X_OK)) }),
            ("stat", false, { .posix(.stat($0)) }),
            ("get attribute", false, { .getXattr($0, "user.parity") }),
            ("set attribute", false, { .setXattr($0, "user.parity") }),
            ("set trusted attribute", false, { .setXattr($0, "trusted.parity") }),
            ("remove attribute", false, { .removeXattr($0, "user.parity") }),
            ("list attributes", false, { .listXattrs($0) }),
            ("unlink", false, { .posix(.unlink($0)) }),
        ]
    }

    private static let directoryModes: [UInt32] = [
        0o755, 0o700, 0o770, 0o707, 0o777, 0o1777, 0o2777, 0o3770, 0o2755, 0o300, 0o500, 0o100, 0o030, 0o003,
        0o111, 0o000,
    ]

    /// Directories of a mode, each with a file of its owner's, one of somebody else's, and a directory.
    private static func directories(_ caller: ParityCaller) -> [ParityCell] {
        var cells: [ParityCell] = []
        for mode in directoryModes {
            for (name, make) in directoryCalls(caller) {
                let path = TestPath("d\(cells.count)")
                let setup: [PosixCall] =
                    [.mkdir(path, 0o755)]
                    + file(path / "mine", 0o644, owner: ParityCaller.ownerID)
                    + file(path / "others", 0o666, owner: 54390)
                    + [
                        .mkdir(path / "sub", 0o755),
                        .lchown(path / "sub", ParityCaller.ownerID, ParityCaller.group),
                        .lchown(path, ParityCaller.ownerID, ParityCaller.group), .chmod(path, mode),
                    ]
                cells.append(
                    ParityCell(
                        title: "\(caller): \(name) in a directory of \(octal(mode))", setup: setup,
                        call: make(path),
                        observed: [path] + ["mine", "others", "sub", "new", "new2"].map { path / $0 },
                        isAboutData: false))
            }
        }
        return cells
    }

    private static func directoryCalls(_ caller: ParityCaller) -> [(String, Make)] {
        let gid = caller.identity.gid
        return [
            (
                "create",
                { .posix(.open($0 / "new", O_RDWR | O_CREAT | O_EXCL, 0o666, [.write("x"), .facts])) }
            ),
            ("create with set-id", { .posix(.open($0 / "new", O_RDWR | O_CREAT, 0o6777, [.facts])) }),
            ("create nameless", { .posix(.open($0, O_RDWR | 0o20200000, 0o2666, [.facts])) }),
            ("mkdir", { .posix(.mkdir($0 / "new", 0o777)) }),
            ("mkfifo", { .posix(.mknod($0 / "new", S_IFIFO | 0o2666, 0, 0)) }),
            ("make a device", { .posix(.mknod($0 / "new", S_IFCHR | 0o666, 1, 3)) }),
            ("symlink", { .posix(.symlink("nowhere", $0 / "new")) }),
            ("link the owner's", { .posix(.link($0 / "mine", $0 / "new")) }),
            ("link another's", { .posix(.link($0 / "others", $0 / "new")) }),
            ("unlink the owner's", { .posix(.unlink($0 / "mine")) }),
            ("unlink another's", { .posix(.unlink($0 / "others")) }),
            ("rmdir", { .posix(.rmdir($0 / "sub")) }),
            ("rename the owner's", { .posix(.rename($0 / "mine", $0 / "new", 0)) }),
            ("rename over another's", { .posix(.rename($0 / "mine", $0 / "others", 0)) }),
            ("rename a directory", { .posix(.rename($0 / "sub", $0 / "new", 0)) }),
            ("exchange", { .posix(.rename($0 / "mine", $0 / "others", 2)) }),
            ("list", { .posix(.list($0)) }),
            ("stat an entry", { .posix(.stat($0 / "mine")) }),
            ("read an entry", { .posix(.open($0 / "others", O_RDONLY, 0, [.read(100)])) }),
            ("access to write", { .posix(.access($0, W_OK)) }),
            ("access to search", { .posix(.access($0, X_OK)) }),
            ("chmod", { .posix(.chmod($0, 0o2775)) }),
            ("chgrp", { .posix(.chown($0, .max, gid)) }),
            ("touch", { .posix(.utimens($0, Sys.now, Sys.now, follow: true)) }),
            ("set attribute", { .setXattr($0, "user.parity") }),
        ]
    }
}
