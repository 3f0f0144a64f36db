import ArgumentParser
import SwitchFS

struct DoctorCommand: ParsableCommand {
    static var configuration: CommandConfiguration {
        CommandConfiguration(
            commandName: "doctor",
            abstract: "What this machine offers, and what the given layers will get.")
    }

    @Option(name: .short, help: ArgumentHelp("Options of a mount that is planned.", valueName: "options"))
    var o: [String] = []
    @Argument(help: ArgumentHelp("Where it is to be mounted.", valueName: "mountpoint"))
    var mountPoint: String?
    @Flag(help: "Write JSON.")
    var json = false

    func run() throws {
        let report = try Doctor.examine(try plan())
        if json {
            print(try JSON.pretty(report))
        } else {
            for line in DoctorText.lines(report) { print(line) }
        }
        if !report.canMount { throw ExitStatus(code: 1) }
    }

    private func plan() throws(MountError) -> (options: MountOptions, mountPoint: String?)? {
        guard !o.isEmpty else {
            if mountPoint == nil { return nil }
            throw MountError(.usage, "a mount point is given without -o OPTIONS")
        }
        var options = MountOptions()
        for text in o { try options.apply(text) }
        return (options, mountPoint)
    }
}
