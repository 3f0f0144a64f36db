import ArgumentParser
import Glibc
import SwitchTestKit

@main
struct SwitchfsBench: ParsableCommand {
    static var configuration: CommandConfiguration {
        CommandConfiguration(
            commandName: "switchfs-bench",
            abstract: "Measures switchfs beside other unions and the native file system.",
            discussion: """
                Every union is mounted over equal layers and measured in turn with the native directory. Shown is \
                its time divided by the faster of the two native measurements around it: median (least–most) of \
                the rounds. "Cold" is the first pass after mounting, with everything of the layers in the kernel's \
                memory; the native directory is always warm.
                """,
            subcommands: [FloorCommand.self])
    }

    @Option(
        help: ArgumentHelp("Systems to measure, by comma. (default: all that are here)", valueName: "names"))
    var systems: String?
    @Option(
        help: ArgumentHelp("Workloads to run, by comma; 'stat*' is all that begin so.", valueName: "names"))
    var workloads: String?
    @Option(help: "The most rounds.")
    var rounds = 5
    @Option(help: "After the first round, none is begun that would end later than this many seconds.")
    var seconds = 3600.0
    @Option(help: "How much to work with: tiny, short or full.")
    var size = Size.short
    @Option(
        help: ArgumentHelp(
            "Where trees are made: on a file system that can hold an upper, such as ext4. (default: $TMPDIR, /tmp)",
            valueName: "path"))
    var directory: String?
    @Option(
        help: ArgumentHelp(
            "Make an ext4 of its own of so many MiB in a file there, on a loop device, and measure on that.",
            valueName: "MiB"))
    var image: Int?
    @Option(
        help: ArgumentHelp(
            "Change the priority of all that runs: --nice=-15 takes precedence on a busy machine.",
            valueName: "n"))
    var nice: Int32 = 0
    @Option(
        help: ArgumentHelp(
            "The switchfs to measure. (default: the one beside this program)", valueName: "path"))
    var switchfs: String?
    @Option(help: ArgumentHelp("Mount options of switchfs.", valueName: "options"))
    var switchfsOptions = ""
    @Option(help: ArgumentHelp("Another switchfs to measure beside it.", valueName: "path"))
    var baseline: String?
    @Option(help: ArgumentHelp("Mount options of that one.", valueName: "options"))
    var baselineOptions = ""
    @Option(help: ArgumentHelp("Where to write all values as JSON.", valueName: "file"))
    var json: String?
    @Option(help: ArgumentHelp("Where to write a plot as SVG.", valueName: "file"))
    var plot: String?
    @ArgumentParser.Flag(
        help: "Instead of times, shows the requests of switchfs in three passes of each workload.")
    var requests = false
    @ArgumentParser.Flag(help: "Shows the systems and workloads, and ends.")
    var list = false

    func validate() throws {
        guard rounds > 0 else { throw ValidationError("--rounds must be at least 1") }
        if requests, json != nil || plot != nil {
            throw ValidationError("--requests measures no time that --json or --plot could show")
        }
    }

    func run() throws {
        if list { return print(Self.listing(size)) }
        let workloads = try runnable()
        let settings = SystemSettings(
            switchfs: switchfs ?? Self.besideThis("switchfs"), switchfsOptions: switchfsOptions,
            baseline: baseline, baselineOptions: baselineOptions)
        let systems = try available(settings)
        guard Machine.isRoot else { throw ValidationError("mounting overlayfs and the others takes root") }
        if let directory { unsafe setenv("SWITCHFS_TEST_DIRECTORY", directory, 1) }
        if nice != 0 { _ = Glibc.nice(nice) }
        let base = try Janitor.base()
        defer { Self.cleanUp(base) }
        let scratch = try Scratch()
        defer { scratch.close() }
        let root = try image.map { try Self.image(in: scratch, megabytes: $0) } ?? scratch.root
        let heading = Heading(settings: settings, systems: systems, size: size, root: root)
        print(heading.text)
        let runner = try Runner(settings, systems: systems, workloads: workloads, root: root)
        if requests { return print(RequestReport(counted: runner.countRequests()).text) }
        let results = try runner.run(rounds: rounds, within: seconds)
        print(TextReport(results: results).text)
        if let json { try Sys.put(TestPath(json), JSONReport(heading: heading, results: results).text()) }
        if let plot { try Sys.put(TestPath(plot), Plot(title: heading.machine, results: results).text) }
    }

    /// The chosen systems that are here; the native one always. Says why others aren't.
    private func available(_ settings: SystemSettings) throws -> [System] {
        var offered = System.allCases
        if baseline == nil { offered.removeAll { $0 == .baseline } }
        let wanted = try Choice.pick(systems, of: offered, kind: "system", name: \.name)
        return [.native]
            + wanted.filter { system in
                guard system != .native else { return false }
                guard !requests || system.countsRequests else { return false }
                guard let obstacle = settings.obstacle(to: system) else { return true }
                Progress.say("\(system.name) is left out: \(obstacle)")
                return false
            }
    }

    /// The chosen workloads whose program is here. Says why others can't be run.
    private func runnable() throws -> [Workload] {
        try Choice.pick(workloads, of: Catalogue.all(size), kind: "workload", name: \.name).filter {
            workload in
            guard let program = workload.needs, !Machine.hasProgram(program) else { return true }
            Progress.say("\(workload.name) is left out: \(program) is not installed")
            return false
        }
    }

    /// An ext4 with nothing left to be done in the background.
    private static func image(in scratch: Scratch, megabytes: Int) throws -> TestPath {
        try scratch.ext4(
            "disk", megabytes: megabytes, options: ["-E", "lazy_itable_init=0,lazy_journal_init=0"])
    }

    private static func cleanUp(_ base: TestPath) {
        // Faster than a walk from here. What is mounted below stays for the watching shell.
        _ = try? SwitchTestKit.run("rm", "-rf", "--one-file-system", base.text)
    }

    private static func besideThis(_ name: TestPath) -> String {
        (((try? Sys.readLink("/proc/self/exe"))?.parent ?? ".") / name).text
    }

    private static func listing(_ size: Size) -> String {
        let workloads = Catalogue.all(size)
        let width = workloads.map(\.name.count).max() ?? 0
        let lines = workloads.map { workload in
            workload.name + String(repeating: " ", count: width + 2 - workload.name.count) + workload.summary
        }
        return "systems: " + System.allCases.map(\.name).joined(separator: ", ") + "\n\n"
            + lines.joined(separator: "\n")
    }
}
