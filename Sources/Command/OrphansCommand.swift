import ArgumentParser
import SwitchFS

struct OrphansCommand: ParsableCommand {
    static var configuration: CommandConfiguration {
        CommandConfiguration(
            commandName: "orphans",
            abstract: "Upper entries whose lower directory has gone: list them, bring them back, remove them."
        )
    }

    @Argument(help: ArgumentHelp("Where it is mounted.", valueName: "mountpoint"))
    var mountPoint: String
    @Option(help: ArgumentHelp("Bring an orphan back to the directory of its path.", valueName: "id"))
    var restore: String?
    @Option(help: ArgumentHelp("Remove an orphan with all that it holds.", valueName: "id"))
    var purge: String?
    @Flag(help: "Remove all orphans.")
    var purgeAll = false
    @Flag(help: "Write JSON.")
    var json = false

    func validate() throws {
        let actions = [restore != nil, purge != nil, purgeAll, json].count { $0 }
        if actions > 1 {
            throw ValidationError("give one of --restore, --purge, --purge-all and --json")
        }
    }

    func run() throws {
        if let restore { return try MountControl.restoreOrphan(restore, at: mountPoint) }
        if let purge { return try MountControl.purgeOrphan(purge, at: mountPoint) }
        if purgeAll { return try MountControl.purgeAllOrphans(at: mountPoint) }
        let orphans = try MountControl.orphans(at: mountPoint)
        if json { return print(try JSON.pretty(orphans)) }
        for line in OrphanText.lines(orphans) { print(line) }
    }
}
