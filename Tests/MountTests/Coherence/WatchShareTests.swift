import SwitchTestKit
import Testing

/// The user's other programs keep their share of the watches.
@Suite(.serialized, .enabled(if: Machine.canMount, "needs root and /dev/fuse"))
struct WatchShareTests {
    /// In a user namespace, which has a limit of its own. The mount is in there too.
    @Test(.enabled(if: Machine.hasProgram("unshare"), "needs unshare"))
    func anEighthIsLeftToOthers() throws {
        let status = try Self.limited.status(within: 240)
        print("400 watches: \(status["watches"]) in use, \(status["given_back_watches"]) given back")
        #expect(status["watches"] <= 350)
        #expect(status["given_back_watches"] > 0)
    }

    /// `find -ls` over 300 directories and 900 files; `tail -F` watches 40 files, which the user's limit must leave room for.
    /// Then changes everywhere: at once, and after looks that have given watches back.
    private static let limited = LimitedWatches(
        limit: 400,
        filling: """
            for d in $(seq 300); do
                mkdir -p lower/$((d % 7))/$d; cd lower/$((d % 7))/$d; echo x >a; ln a b; echo y >c; cd "$2"
            done
            mkdir lower/others; cd lower/others; for f in $(seq 40); do echo >$f; done; cd "$2"
            """,
        script: """
            find mnt -ls >/dev/null
            tail -q -n 0 -F lower/others/* >/dev/null 2>complaints & others=$!
            for try in $(seq 400); do
                watches=$(cat /proc/$others/fdinfo/* 2>/dev/null | grep -c 'inotify wd') || true
                [ "$watches" -ge 40 ] && break
                [ -s complaints ] && break
                sleep 0.05
            done
            cat complaints >&2
            [ "$watches" -ge 40 ]
            same
            for d in $(seq 1 3 300); do
                at=lower/$((d % 7))/$d; echo more >>$at/b; echo new >$at/n; rm $at/a; chmod 600 $at/c
            done
            "$binary" sync mnt; same
            for d in $(seq 1 2 300); do at=lower/$((d % 7)); mv $at/$d $at/moved$d; mkdir $at/$d; done
            "$binary" sync mnt; same; find mnt -ls >/dev/null; same
            for d in $(seq 1 2 300); do
                at=lower/$((d % 7)); rmdir $at/$d; mv $at/moved$d $at/$d; echo again >$at/$d/c; done
            "$binary" sync mnt; same
            """)
}
