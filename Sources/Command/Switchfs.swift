import ArgumentParser
import SwitchFS

/// The command's root. Mount helpers' calls don't come here; see `ClassicForm`.
struct Switchfs: ParsableCommand {
    static var configuration: CommandConfiguration {
        CommandConfiguration(
            commandName: "switchfs",
            abstract:
                "A read-write switch union filesystem: several directory trees as one, nothing copied up.",
            usage: """
                switchfs -o lowerdir=L1[:L2…],upperdir=U[,workdir=W][,OPTION…] MOUNTPOINT
                switchfs SUBCOMMAND …
                """,
            discussion: """
                The first form is that of overlayfs, mount(8) and fstab. -f stays in the \
                foreground, -d logs each request. Options: lowerdir, upperdir, workdir, create, mkdir, orphans, \
                whiteout, complete, coherence, ahead, ttl, locks, passthrough, rules, allow_other, no_allow_other, poll, \
                ro, nosuid, nodev, noexec, fsname and mount(8)'s generic ones; see switchfs(8).
                """,
            version: "switchfs \(SwitchFSVersion.current)",
            subcommands: [
                MountCommand.self, UnmountCommand.self, ListCommand.self, StatusCommand.self,
                ExplainCommand.self, SyncCommand.self, OrphansCommand.self, CompleteCommand.self,
                DoctorCommand.self,
            ])
    }
}
