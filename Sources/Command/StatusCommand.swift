import ArgumentParser
import SwitchFS

struct StatusCommand: ParsableCommand {
    static var configuration: CommandConfiguration {
        CommandConfiguration(
            commandName: "status",
            abstract:
                "What a mount is made of and does: layers, coherence, passthrough, counters, open files.")
    }

    @Argument(help: ArgumentHelp("Where it is mounted.", valueName: "mountpoint"))
    var mountPoint: String
    @Flag(help: "Write JSON.")
    var json = false

    func run() throws {
        let status = try MountInspection.status(at: mountPoint)
        if json { return print(try JSON.pretty(status)) }
        for line in StatusText.lines(status) { print(line) }
    }
}
