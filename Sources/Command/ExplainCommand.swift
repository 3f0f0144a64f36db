import ArgumentParser
import SwitchFS

struct ExplainCommand: ParsableCommand {
    static var configuration: CommandConfiguration {
        CommandConfiguration(
            commandName: "explain",
            abstract: "How a path in a mount resolves, and where a create, mkdir, unlink or rename would go.")
    }

    @Argument(help: "A path in a switchfs mount; it need not exist.")
    var path: String
    @Flag(help: "Write JSON.")
    var json = false

    func run() throws {
        let explanation = try MountInspection.explain(RawArguments.bytes(of: path))
        if json { return print(try JSON.pretty(explanation)) }
        for line in ExplanationText.lines(explanation) { print(line) }
    }
}
