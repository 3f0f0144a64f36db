import CTestCalls
import Glibc
import Synchronization
public import SystemPackage

/// Cleans up after this process however it ends.
///
/// A shell waits at a pipe that only this process holds open. When it closes — at a normal end or a
/// crash — the shell ends what was started below the base directory, unmounts what was mounted there,
/// removes the cgroups that carry this process's number, and removes the directory.
public enum Janitor {
    /// The prefix of every cgroup that a test makes.
    public static let cgroupPrefix = "switchfs-test-\(getpid())-"

    private static let state = Mutex<State?>(nil)

    private struct State {
        var base: TestPath
        var pipe: Handle
        var shell: Child
        var count = 0
    }

    /// The directory that holds all that this process makes; starts the watching shell at first use.
    public static func base() throws(Errno) -> TestPath {
        try state.withLock { state throws(Errno) in try started(&state).base }
    }

    /// A new empty directory below it.
    static func newDirectory(below parent: TestPath?) throws(Errno) -> TestPath {
        try state.withLock { state throws(Errno) in
            var now = try started(&state)
            now.count += 1
            state = now
            let path = (parent ?? now.base) / "\(now.count)"
            try Sys.makeDirectory(path)
            return path
        }
    }

    private static func started(_ state: inout State?) throws(Errno) -> State {
        if let state { return state }
        let parent = Machine.environment("SWITCHFS_TEST_DIRECTORY") ?? Machine.environment("TMPDIR")
        let base = TestPath(parent ?? "/tmp") / "switchfs-tests-\(getpid())"
        try Sys.makeDirectory(base)
        try Sys.changeMode(base, 0o755)
        var ends: [Int32] = [0, 0]
        try checked(unsafe tc_pipe(&ends))
        let input = Handle(owning: ends[0])
        let pipe = Handle(owning: ends[1])
        let shell = try Child(["sh", "-c", script, "sh", base.text, cgroupPrefix], input: input)
        let made = State(base: base, pipe: pipe, shell: shell)
        state = made
        return made
    }

    private static let script = """
        trap '' INT TERM HUP
        cat >/dev/null
        base=$1; prefix=$2
        mounts() { awk -v b="$base/" 'index($5, b) == 1 { print $5 }' /proc/self/mountinfo | tac; }
        for round in 1 2; do
            for file in /proc/[0-9]*/cmdline; do
                pid=${file#/proc/}; pid=${pid%/cmdline}
                [ "$pid" = $$ ] && continue
                tr '\\000' ' ' <"$file" 2>/dev/null | grep -qF "$base/" && kill -9 "$pid"
            done
            mounts | while read -r m; do umount -l "$(printf '%b' "$m")"; done
        done 2>/dev/null
        awk '$(NF-2) ~ /^cgroup2?$/ { print $5 }' /proc/self/mountinfo | sort -u | while read -r m; do
            for group in "$m/$prefix"*; do
                [ -d "$group" ] || continue
                find "$group" -name cgroup.procs -exec cat {} + | xargs -r kill -9
                for round in 1 2 3 4 5 6 7 8 9 10; do
                    find "$group" -depth -type d -exec rmdir {} + && break
                    sleep 0.1
                done
            done
        done 2>/dev/null
        [ -z "$(mounts)" ] && rm -rf --one-file-system "$base"
        """
}
