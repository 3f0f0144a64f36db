import ArgumentParser
import SwitchFS

struct ListCommand: ParsableCommand {
    static var configuration: CommandConfiguration {
        CommandConfiguration(commandName: "list", abstract: "Every switchfs mount on this machine.")
    }

    @Flag(help: "Write JSON.")
    var json = false

    func run() throws {
        let mounts = try MountInspection.list()
        if json { return print(try JSON.pretty(mounts)) }
        for mount in mounts {
            let server = mount.pid.map { "pid \($0)" } ?? "no answer"
            print("\(mount.mountpoint)\t\(server)\t\(mount.layers.joined(separator: ":"))")
        }
    }
}
