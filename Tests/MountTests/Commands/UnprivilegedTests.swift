import Glibc
import SwitchTestKit
import SystemPackage
import Testing

/// A mount made by an ordinary user, by way of fusermount3; locks.
@Suite(.enabled(if: Machine.canMount, "needs root and /dev/fuse"))
struct UnprivilegedTests {
    @Test(.enabled(if: Machine.usersCanMount, "needs fusermount3 and a /dev/fuse that users may open"))
    func ordinaryUserMounts() throws {
        try withScratch { scratch throws in
            try CommandLineTests.layers(scratch)
            try Sys.put(scratch.root / "lower/f", "x")
            try Sys.put(scratch.root / "lower/sub/g", "y")
            try run("chown", "-R", "65534:65534", scratch.root.text).orThrow()
            let (mount, user) = (scratch.root / "mnt", Identity.nobody)
            let line = "-o lowerdir=@/lower=ro,upperdir=@/upper,workdir=@/work @/mnt"
            let arguments = [Machine.binary] + CommandLineTests.split(line, scratch)
            try run(arguments, as: user, within: 300).orThrow()
            let seen = try acting(as: user) {
                try Sys.put(mount / "sub/new", "n")
                let refused = failure { try Sys.overwrite(mount / "f", "z") }
                try Sys.unlink(mount / "f")
                try Sys.unlink(mount / "sub/g")
                let error = failure { try Sys.open(mount / "sub/new", O_RDWR).write("N") }
                return [
                    try Sys.text(mount / "sub/new"), refused?.name ?? "", error?.name ?? "",
                    try Sys.names(mount).map(\.text).joined(separator: " "),
                    try Sys.names(mount / "sub").map(\.text).joined(separator: " "),
                ]
            }
            #expect(seen == ["N", "EROFS", "", "sub", "new"])
            #expect(failure { try acting(as: .alice) { _ = try Sys.list(mount) } } == .permissionDenied)
            #expect(try Sys.names(scratch.root / "lower") == ["f", "sub"])
            try run([Machine.binary, "unmount", mount.text], as: user, within: 300).orThrow()
            #expect(!Machine.isMounted(mount))
            try MountLifeTests.noServerLeft(mount)
            // Mounted again, what was hidden stays hidden.
            try run(arguments, as: user, within: 300).orThrow()
            #expect(try acting(as: user) { try Sys.names(mount) } == ["sub"])
            #expect(try acting(as: user) { try Sys.names(mount / "sub") } == ["new"])
            try run(["fusermount3", "-u", mount.text], as: user).orThrow()
        }
    }

    @Test(arguments: ["local", "through"])
    func locksGoThroughWhenAsked(mode: String) throws {
        try withUnion(lower: ["f": "x"], options: ["locks=\(mode)"]) { union throws in
            let (one, two) = (try Sys.open(union["f"], O_RDWR), try Sys.open(union["f"], O_RDWR))
            let direct = try Sys.open(union.inLower("f"), O_RDWR)
            let wanted: Errno? = mode == "through" ? .wouldBlock : nil
            try one.lock(LOCK_EX | LOCK_NB)
            #expect(failure { try two.lock(LOCK_EX | LOCK_NB) } == .wouldBlock)
            #expect(failure { try direct.lock(LOCK_EX | LOCK_NB) } == wanted)
            try direct.lock(LOCK_UN)
            try one.lock(LOCK_UN)
            try one.lockRange(Int32(F_WRLCK))
            #expect(failure { try two.lockRange(Int32(F_WRLCK)) } == .resourceTemporarilyUnavailable)
            #expect(failure { try direct.lockRange(Int32(F_WRLCK)) } == wanted)
        }
    }
}
