import SwitchTestKit
import SystemPackage

/// A user namespace, which has a limit of inotify watches of its own, with a union in it, whose lower is a tmpfs.
struct LimitedWatches {
    let limit: Int
    /// Fills `lower`, by a shell in the directory that it is in.
    let filling: String
    /// What is done once the union is mounted on `mnt`. `same` fails where that shows other than `lower` has.
    let script: String

    /// Returns the union's status at the end.
    func status(within seconds: Double) throws -> ServerStatus {
        try withScratch { scratch throws in
            let done = try run(
                "unshare", "--user", "--map-root-user", "--mount", "sh", "-ec", text, "sh", Machine.binary,
                try scratch.directory("ground").text, within: seconds)
            try done.orThrow()
            return ServerStatus(json: done.output)
        }
    }

    private var text: String {
        """
        binary=$1; cd "$2"
        echo \(limit) >/proc/sys/user/max_inotify_watches
        mkdir lower mnt
        mount -t tmpfs tmpfs lower
        \(filling)
        "$binary" -f -o lowerdir="$2/lower" "$2/mnt" >&2 & server=$!
        others=
        trap 'umount -l mnt; kill $server $others || true' EXIT
        for try in $(seq 400); do [ -e mnt/1 ] && break; sleep 0.05; done
        look() { (cd $1; find . ! -path . -printf '%P %y %i %n %m %s %T@ %C@\\n' | sort); }
        same() { look lower >one; look mnt >two; look mnt >three; diff one two >&2; diff one three >&2; }
        \(script)
        "$binary" status --json mnt
        """
    }
}
