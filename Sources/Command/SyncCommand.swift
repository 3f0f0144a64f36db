import ArgumentParser
import SwitchFS

struct SyncCommand: ParsableCommand {
    static var configuration: CommandConfiguration {
        CommandConfiguration(
            commandName: "sync",
            abstract: "Return when every change made underneath before is visible in a mount.")
    }

    @Argument(help: ArgumentHelp("Where it is mounted.", valueName: "mountpoint"))
    var mountPoint: String

    func run() throws {
        try MountControl.synchronize(mountPoint)
    }
}
