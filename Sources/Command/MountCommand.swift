import ArgumentParser
import SwitchFS

/// `switchfs mount`: the mount options spelled for people. Each becomes an item of `-o`, so both forms mean the
/// same.
struct MountCommand: ParsableCommand {
    static var configuration: CommandConfiguration {
        CommandConfiguration(commandName: "mount", abstract: "Mount a union.")
    }

    @Option(help: ArgumentHelp("A lower layer, the first given is the highest.", valueName: "directory"))
    var lower: [String] = []
    @Option(help: ArgumentHelp("The upper layer.", valueName: "directory"))
    var upper: String?
    @Option(
        help: ArgumentHelp("Where changes are prepared; on the upper's filesystem.", valueName: "directory"))
    var work: String?
    @Option(help: "Where new files go: upper, lower or fallback.")
    var create: String?
    @Option(help: "Where new directories go: upper, lower or fallback.")
    var mkdir: String?
    @Option(help: "What becomes of upper entries whose lower directory goes: keep or hide.")
    var orphans: String?
    @Option(help: "Whether removed names of read-only layers are hidden: auto or off.")
    var whiteout: String?
    @Option(help: "lower: a lower's listing is authoritative for every directory that it has.")
    var complete: String?
    @Option(help: "How fresh: auto, watch, check, ttl or static.")
    var coherence: String?
    @Option(help: "Whether files are told to the kernel before anybody asks: auto, off or always.")
    var ahead: String?
    @Option(help: ArgumentHelp("How old what a ttl layer shows may be.", valueName: "seconds"))
    var ttl: String?
    @Option(help: "Where locks are taken: auto, local or through.")
    var locks: String?
    @Option(help: "Reads and writes by the kernel itself: auto, off or require.")
    var passthrough: String?
    @Option(help: ArgumentHelp("A rules file that says which layer takes what.", valueName: "file"))
    var rules: String?
    @Option(help: "Looking for requests before sleeping: auto or off.")
    var poll: String?
    @Option(help: ArgumentHelp("The source that mount tables show.", valueName: "name"))
    var fsname: String?
    @Flag(name: .customLong("allow-other"), help: "Let other users in (default when root mounts).")
    var allowOther = false
    @Flag(name: .customLong("no-allow-other"), help: "Let only the mounting user in.")
    var noAllowOther = false
    @Flag(help: "Mount read-only.")
    var ro = false
    @Flag(help: "No set-user-id programs.")
    var nosuid = false
    @Flag(help: "No device nodes.")
    var nodev = false
    @Flag(help: "No programs.")
    var noexec = false
    @Option(name: .short, help: ArgumentHelp("Further options, as in the other form.", valueName: "options"))
    var o: [String] = []
    @Flag(name: [.short, .long], help: "Stay in the foreground.")
    var foreground = false
    @Flag(name: [.short, .long], help: "Log each request, in the foreground.")
    var debug = false
    @Argument(help: ArgumentHelp("The directory to mount on.", valueName: "mountpoint"))
    var mountPoint: String

    func run() throws {
        var style = MountService.Style()
        style.inForeground = foreground
        style.logsRequests = debug
        let request = try MountRequest(try options(), at: mountPoint)
        throw ExitStatus(code: MountService.run(request, style))
    }

    private func options() throws(MountError) -> MountOptions {
        var options = MountOptions()
        for text in o { try options.apply(text) }
        // A layer's text keeps its attributes and escapes; only what separates layers in a list is taken away.
        for (index, layer) in lower.enumerated() {
            if index == 0 { options.lowers = [] }
            try options.apply(option: "lowerdir+", value: layer)
        }
        for (name, value) in values { if let value { try options.apply(option: name, value: value) } }
        for (name, isSet) in flags where isSet { try options.apply(option: name, value: nil) }
        return options
    }

    private var values: KeyValuePairs<String, String?> {
        [
            "upperdir": upper, "workdir": work, "create": create, "mkdir": mkdir, "orphans": orphans,
            "whiteout": whiteout, "complete": complete, "coherence": coherence, "ahead": ahead, "ttl": ttl,
            "locks": locks,
            "passthrough": passthrough, "rules": rules, "poll": poll, "fsname": fsname,
        ]
    }

    private var flags: KeyValuePairs<String, Bool> {
        [
            "allow_other": allowOther, "no_allow_other": noAllowOther, "ro": ro, "nosuid": nosuid,
            "nodev": nodev, "noexec": noexec,
        ]
    }
}
