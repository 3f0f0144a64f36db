import SwitchTestKit
import Testing

/// What mount(8) and fstab(5) expect of a helper, and a new user of the command.
@Suite(.enabled(if: Machine.canMount, "needs root and /dev/fuse"))
struct HelperTests {
    @Test func withoutArgumentsItSaysHowItIsUsed() throws {
        let done = try run(Machine.binary)
        #expect(done.ending == .exited(2))
        #expect(done.output == "")
        #expect(done.errors.contains("lowerdir=") && done.errors.contains("MOUNTPOINT"), "\(done.errors)")
    }

    /// By the source mount(8) tells that what fstab says is mounted already: `mount -a` mounts nothing twice.
    @Test(arguments: ["none", "switchfs", "notes", "/a/path", "two words"])
    func theSourceGivenShows(source: String) throws {
        try withHelper { scratch, helper throws in
            let mount = scratch.root / "mnt"
            let options = CommandLineTests.split(Self.options, scratch)
            try run([helper.text, source, mount.text] + options).orThrow()
            let shown = try run("findmnt", "-n", "-o", "SOURCE", mount.text).orThrow().output
            #expect(shown == source + "\n")
            try run("umount", "-t", "fuse.switchfs", mount.text).orThrow()
            try MountLifeTests.noServerLeft(mount)
        }
    }

    /// `mount -a` twice and `mount -f`, as root would with an fstab. In a mount namespace of its own, with the
    /// helper where mount(8) looks for it.
    @Test(.enabled(if: Machine.hasProgram("unshare"), "needs unshare"))
    func asFstabHasIt() throws {
        try withHelper { scratch, helper throws in
            let arguments = [helper.text, scratch.root.text]
            try run(
                ["unshare", "--mount", "--propagation", "private", "sh", "-ec", Self.script, "sh"] + arguments
            )
            .orThrow()
        }
    }

    private static let script = """
        helper=$1; cd "$2"
        mkdir over overwork; mount -t overlay overlay -o lowerdir=/sbin,upperdir=over,workdir=overwork /sbin ||
            { echo "no overlay over /sbin: skipped"; exit 0; }
        ln -s "$(readlink "$helper")" /sbin/mount.fuse.switchfs
        for source in none switchfs; do
            echo "$source $2/mnt fuse.switchfs lowerdir=$2/lower,upperdir=$2/upper,workdir=$2/work 0 0" >fstab
            mount -f -T fstab -a
            ! mountpoint -q mnt
            mount -T fstab -a
            mount -T fstab -a
            test "$(grep -c " $2/mnt " /proc/self/mountinfo)" = 1
            umount -t fuse.switchfs mnt
            ! mountpoint -q mnt
        done
        """

    /// mount(8) calls a helper with `-f` for "do all but mount", `-s` for "tolerate options that you don't know".
    @Test func fakeAndSloppy() throws {
        try withHelper { scratch, helper throws in
            let mount = scratch.root / "mnt"
            let call = [helper.text, "none", mount.text]
            let options = CommandLineTests.split(Self.options, scratch)
            try run(call + ["-f"] + options).orThrow()
            #expect(!Machine.isMounted(mount))
            #expect(try run(call + ["-f", "-o", "lowerdir=/nowhere/at/all"]).ending == .exited(1))
            let unknown = [options[0], options[1] + ",frobnicate=3"]
            #expect(try run(call + unknown).ending == .exited(2))
            try run(call + ["-s", "-n", "-v"] + unknown).orThrow()
            #expect(Machine.isMounted(mount))
            try run("umount", mount.text).orThrow()
            try MountLifeTests.noServerLeft(mount)
        }
    }

    /// One line that says what `/dev/fuse` is and what to do; with it the mount works.
    @Test(
        .enabled(if: Machine.hasProgram("unshare"), "needs unshare"),
        arguments: [
            ("touch d/f; mount --bind d/f /dev/fuse", "a regular file"),
            ("mount --bind /dev/null /dev/fuse", "character device 1:3"),
            ("mount -t tmpfs tmpfs /dev", "missing"),
        ])
    func aDeviceThatIsNone(change: String, says: String) throws {
        try withHelper { scratch, _ throws in
            _ = try scratch.directory("d")
            let script = "cd \(scratch.root.text); \(change); exec \(Machine.binary) \(Self.options) mnt"
            let line = script.replacing("@", with: scratch.root.text)
            let done = try run("unshare", "--mount", "--propagation", "private", "sh", "-ec", line)
            #expect(done.ending == .exited(1))
            #expect(done.errors.split(separator: "\n").count == 1, "\(done.errors)")
            #expect(done.errors.contains("/dev/fuse") && done.errors.contains(says), "\(done.errors)")
            #expect(done.errors.contains("modprobe fuse") || done.errors.contains("mknod"), "\(done.errors)")
        }
    }

    private static let options = "-o lowerdir=@/lower,upperdir=@/upper,workdir=@/work"

    private func withHelper(_ body: (Scratch, TestPath) throws -> Void) throws {
        try withScratch { scratch throws in
            try CommandLineTests.layers(scratch)
            let helper = scratch.root / "mount.fuse.switchfs"
            try run("ln", "-s", Machine.binary, helper.text).orThrow()
            try body(scratch, helper)
        }
    }
}
