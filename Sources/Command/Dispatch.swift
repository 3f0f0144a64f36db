import ArgumentParser
import SwitchFS

/// Decides which of the two command lines this is: `switchfs SUBCOMMAND …`, or the classic one of mount
/// helpers, `switchfs -o OPTIONS MOUNTPOINT`.
enum Dispatch {
    /// Returns the exit code.
    static func run(_ arguments: [String]) -> Int32 {
        let rest = Array(arguments.dropFirst())
        // mount(8) calls its helpers by these names, with a source in front that may be any word.
        if isMountHelper(arguments.first ?? "") { return classic(rest, asHelper: true) }
        guard let first = rest.first else {
            Diagnostics.complain(
                "no command given; switchfs --help shows them all\n" + Switchfs.usageString())
            return 2
        }
        return isForParser(first) ? run(Switchfs.self, rest) : classic(rest, asHelper: false)
    }

    private static func isMountHelper(_ program: String) -> Bool {
        program.split(separator: "/").last?.hasPrefix("mount.") == true
    }

    /// Words and options that the argument parser knows at the top. Everything else is a mount helper's call:
    /// it may start with an option, a source or a mount point.
    private static func isForParser(_ word: String) -> Bool {
        if ["help", "--help", "-h", "--version", "-V"].contains(word) { return true }
        if word.hasPrefix("--generate-completion-script") || word.hasPrefix("--experimental-dump-help") {
            return true
        }
        return Switchfs.configuration.subcommands.contains { $0._commandName == word }
    }

    private static func classic(_ arguments: [String], asHelper: Bool) -> Int32 {
        do throws(MountError) {
            let form = try ClassicForm(arguments, asHelper: asHelper)
            if form.wantsHelp { return run(Switchfs.self, ["--help"]) }
            if form.wantsVersion { return run(Switchfs.self, ["--version"]) }
            let request = try MountRequest(form.options, at: form.mountPoint)
            if form.isFake { return 0 }
            return MountService.run(request, form.style)
        } catch {
            return complain(error)
        }
    }

    private static func run(_ command: any ParsableCommand.Type, _ arguments: [String]) -> Int32 {
        do {
            var parsed = try command.parseAsRoot(arguments)
            try parsed.run()
            return 0
        } catch let error as MountError {
            return complain(error)
        } catch let error as ExitStatus {
            return error.code
        } catch {
            return finish(command, error)
        }
    }

    /// What the parser throws: help and version are no errors, a wrong command line is one line and exit code 2.
    private static func finish(_ command: any ParsableCommand.Type, _ error: any Error) -> Int32 {
        guard command.exitCode(for: error).isSuccess else {
            Diagnostics.complain(command.message(for: error))
            return 2
        }
        print(command.fullMessage(for: error))
        return 0
    }

    private static func complain(_ error: MountError) -> Int32 {
        Diagnostics.complain(error.message)
        return error.exitCode
    }
}

/// Thrown by a command that has said all there is to say.
struct ExitStatus: Error {
    let code: Int32
}
