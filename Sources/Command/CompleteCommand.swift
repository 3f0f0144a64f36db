import ArgumentParser
import SwitchFS

struct CompleteCommand: ParsableCommand {
    static var configuration: CommandConfiguration {
        CommandConfiguration(
            commandName: "complete",
            abstract: "Mark a directory as holding every entry itself: lower layers add nothing to it.")
    }

    @Argument(help: "A directory in a switchfs mount.")
    var path: String
    @Flag(help: "Take the mark away.")
    var off = false

    func run() throws {
        try MountControl.setComplete(!off, path)
    }
}
