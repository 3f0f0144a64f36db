import Glibc
import SwitchTestKit
import SystemPackage
import Testing

/// What a user without privileges gets: all but passthrough. In a mount namespace of its own, in which
/// `/dev/fuse` is a node that users may open, whatever this machine's is like.
@Suite(.serialized, .enabled(if: Machine.canMount, "needs root and /dev/fuse"))
struct OrdinaryUserTests {
    enum Way: String, CaseIterable, Sendable {
        case fusermount, userNamespace

        /// What comes before the user's command.
        var prefix: String { self == .fusermount ? "" : "unshare -Urm " }

        /// fusermount3 mounts only for users that have a name.
        var user: Identity { self == .fusermount ? .nobody : .alice }

        var isPossible: Bool {
            if self == .fusermount { return Machine.hasProgram("fusermount3") }
            return (try? run("unshare", "-Urm", "true", as: .alice).succeeded) ?? false
        }
    }

    static let ways = Way.allCases.filter { way in
        if !way.isPossible { print("ordinary users can't mount by way of \(way) here: not tested") }
        return way.isPossible
    }

    /// Everything that a union does; stops at the first thing that is wrong.
    private static let session = """
        set -eu
        fail() { echo "WRONG: $*"; exit 1; }
        is() { test "$1" = "$2" || fail "$3: '$1' is not '$2'"; }
        mount="$B -o lowerdir=low:image=ro,upperdir=up,workdir=work mnt"
        $mount
        is "$(cat mnt/seen)" old "a lower's file"
        echo changed >low/seen
        is "$(cat mnt/seen)" changed "a lower that changed"
        echo new >mnt/new
        is "$(cat up/new)" new "a new file"
        echo more >>mnt/seen
        is "$(tail -n 1 low/seen)" more "a write to a lower"
        mkdir mnt/d mnt/sub/deep
        test -d up/sub/deep || fail "no skeleton"
        mv mnt/new mnt/d/moved
        ln mnt/d/moved mnt/d/link
        ln -s moved mnt/d/sym
        is "$(cat mnt/d/sym)" new "a link"
        is "$(stat -c %h mnt/d/moved)" 2 "the link count"
        chmod 600 mnt/d/link
        is "$(stat -c %a:%u mnt/d/moved)" "600:$(id -u)" "mode and owner"
        touch -d @5 mnt/d/link
        is "$(stat -c %Y mnt/d/moved)" 5 "a time"
        setfattr -n user.x -v 1 mnt/d/link
        is "$(getfattr --only-values -n user.x mnt/d/moved)" 1 "an attribute"
        mkfifo mnt/fifo
        cp /bin/true mnt/program
        mnt/program || fail "a program did not run"
        truncate -s 100000 mnt/d/moved
        is "$(stat -c %s mnt/d/link)" 100000 "a size"
        rm mnt/only mnt/tree/leaf
        rmdir mnt/tree
        test -e image/only -a -e image/tree/leaf || fail "something was removed from a read-only layer"
        is "$(ls mnt | tr '\\n' ' ')" "d fifo program seen sub " "a listing"
        is "$(ls mnt/sub | tr '\\n' ' ')" "deep here there " "a merged listing"
        (echo x >mnt/sub/there) 2>refusal && fail "a read-only layer was written"
        grep -q 'Read-only' refusal || fail "$(cat refusal)"
        $B status mnt | grep -i passthrough
        $B unmount mnt
        $mount
        is "$(ls mnt | tr '\\n' ' ')" "d fifo program seen sub " "a listing after mounting again"
        mkdir mnt/tree
        is "$(ls mnt/tree)" "" "a directory in a removed one's place"
        $B unmount mnt
        echo DONE
        """

    @Test(arguments: ways)
    func everythingButPassthroughWorks(way: Way) throws {
        try withScratch { scratch throws in
            for name in ["low/sub", "image/sub", "image/tree", "up", "work", "mnt"] as [TestPath] {
                _ = try scratch.directory(name)
            }
            try Sys.put(scratch.root / "low/seen", "old\n")
            try Sys.put(scratch.root / "low/sub/here", "x")
            for name in ["only", "tree/leaf", "sub/there"] as [TestPath] {
                try Sys.put(scratch.root / "image" / name, "x")
            }
            try run("chown", "-R", "\(way.user.uid):\(way.user.gid)", scratch.root.text).orThrow()
            let ran = try asUser(way, Self.session, in: scratch)
            #expect(ran.output.hasSuffix("DONE\n"), "\(ran.output) \(ran.errors)")
            #expect(ran.output.contains("CAP_SYS_ADMIN") || ran.output.contains("refuses"), "\(ran.output)")
            #expect(ran.errors == "")
        }
    }

    @Test(arguments: ways)
    func doctorSaysWhatIsLost(way: Way) throws {
        try withScratch { scratch throws in
            try Sys.changeOwner(scratch.root, uid: way.user.uid, gid: way.user.gid)
            let ran = try asUser(way, "$B doctor", in: scratch)
            #expect(ran.output.contains("no passthrough, no attributes below trusted."), "\(ran.output)")
            #expect(ran.output.contains("switchfs can mount here."), "\(ran.output) \(ran.errors)")
        }
    }

    /// The helper's reason, and one line.
    @Test(.enabled(if: Machine.hasProgram("fusermount3"), "needs fusermount3"))
    func aRefusalIsOneLine() throws {
        try withScratch { scratch throws in
            for name in ["low", "roots"] as [TestPath] { _ = try scratch.directory(name) }
            let ran = try asUser(.fusermount, "$B -o lowerdir=low roots", in: scratch)
            #expect(ran.ending == .exited(1))
            #expect(ran.errors.split(separator: "\n").count == 1, "\(ran.errors)")
            #expect(
                ran.errors.contains("without privileges") && ran.errors.contains("no write access"),
                "\(ran.errors)")
        }
    }

    private func asUser(_ way: Way, _ script: String, in scratch: Scratch) throws -> Finished {
        try Sys.makeNode(scratch.root / "fuse", mode: S_IFCHR | 0o666, major: 10, minor: 229)
        try Sys.changeMode(scratch.root / "fuse", 0o666)
        try Sys.put(scratch.root / "session", script)
        let node = scratch.root / "fuse"
        let command =
            "mount --bind \(node) /dev/fuse && cd \(scratch.root) && B=\(Machine.binary) exec setpriv "
            + "--reuid=\(way.user.uid) --regid=\(way.user.gid) --clear-groups \(way.prefix)sh session"
        return try run("unshare", "-m", "--propagation", "private", "sh", "-c", command)
    }
}
