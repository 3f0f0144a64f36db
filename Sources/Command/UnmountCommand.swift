import ArgumentParser
import SwitchFS

struct UnmountCommand: ParsableCommand {
    static var configuration: CommandConfiguration {
        CommandConfiguration(
            commandName: "unmount", abstract: "End a mount. One that is in use stays, with an error.")
    }

    @Argument(help: ArgumentHelp("Where it is mounted.", valueName: "mountpoint"))
    var mountPoint: String

    func run() throws {
        try Unmounting.unmount(mountPoint)
    }
}
