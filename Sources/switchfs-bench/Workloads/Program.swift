import Glibc
import SwitchTestKit

/// Real programs, started as a user does.
enum Program {
    /// Seconds from the start to the end of a program that must end well.
    static func time(_ arguments: [String], output: Handle? = nil) throws -> Double {
        var ending: Child.Ending?
        let seconds = try seconds {
            let child = try Child(arguments, output: output)
            // The child stays to be reaped: Child itself looks for its end in steps, which would be measured.
            var information = unsafe siginfo_t()
            while unsafe waitid(P_PID, id_t(child.pid), &information, WEXITED | WNOWAIT) < 0, errno == EINTR {
            }
            ending = child.poll()
        }
        guard ending == .exited(0) else {
            throw FixtureError("\(arguments.joined(separator: " ")): \(ending.map { "\($0)" } ?? "lost")")
        }
        return seconds
    }

    /// A walk over trees that looks at each inode: a test that needs it, and that none passes.
    static func walk(_ roots: [String]) -> [String] { ["find"] + roots + ["-links", "+1000000"] }

    /// A file without a name for a program's output.
    static func outputFile(in directory: TestPath) throws -> Handle {
        try Sys.open(directory, O_RDWR | Flag.temporary, mode: 0o600)
    }

    /// The lines of the output, from its beginning, that `belongs` holds for; the file is emptied.
    static func takeLines(of output: Handle, where belongs: (ArraySlice<UInt8>) -> Bool) throws -> Int {
        try output.seek(0)
        let lines = try output.readAll().split(separator: UInt8(ascii: "\n"))
        try output.truncate(to: 0)
        try output.seek(0)
        return lines.count(where: belongs)
    }

    /// Files below a directory, without those below `pruned` and marks that unions leave.
    static func countFiles(below path: TestPath, besides pruned: String = "") throws -> Int {
        let prune = pruned.isEmpty ? [] : ["-name", pruned, "-prune", "-o"]
        let wanted = ["-type", "f", "!", "-name", ".wh.*", "-print"]
        let finished = try run(["find", path.text] + prune + wanted).orThrow()
        return finished.output.utf8.count { $0 == UInt8(ascii: "\n") }
    }
}
