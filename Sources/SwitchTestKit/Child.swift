import CTestCalls
import Glibc
import Synchronization
public import SystemPackage

/// A program that runs beside the test.
public final class Child: Sendable {
    /// How a program ended.
    public enum Ending: Equatable, Sendable {
        /// By itself, with this exit code.
        case exited(Int32)
        /// By a signal of this number.
        case signalled(Int32)
    }

    /// Its process number.
    public let pid: Int32
    private let ending = Mutex<Ending?>(nil)

    /// Starts `arguments[0]`, looked up in PATH. Streams not given are /dev/null.
    public init(
        _ arguments: [String], input: Handle? = nil, output: Handle? = nil, errors: Handle? = nil,
        directory: TestPath? = nil
    ) throws(Errno) {
        var strings = unsafe arguments.map { unsafe UnsafePointer<CChar>(strdup($0)) }
        unsafe strings.append(nil)
        defer {
            for index in arguments.indices {
                unsafe free(UnsafeMutableRawPointer(mutating: strings[index]))
            }
        }
        pid = Int32(
            try checked(
                unsafe tc_spawn(
                    &strings, input?.descriptor ?? -1, output?.descriptor ?? -1,
                    errors?.descriptor ?? -1, directory?.text)))
    }

    /// How it ended; nil while it runs.
    public func poll() -> Ending? {
        ending.withLock { known in
            if let known { return known }
            let status = Int32(truncatingIfNeeded: tc_reap(pid))
            if status == -EAGAIN { return nil }
            if status < 0 {
                known = .signalled(0)
            } else {
                known = status & 0x7f == 0 ? .exited(status >> 8 & 0xff) : .signalled(status & 0x7f)
            }
            return known
        }
    }

    /// Waits for the end; at the deadline kills the program and throws.
    @discardableResult
    public func wait(within seconds: Double = 300) throws -> Ending {
        let deadline = Deadline(seconds)
        while true {
            if let ending = poll() { return ending }
            if deadline.passed { break }
            takeBreath()
        }
        end()
        throw FixtureError("process \(pid) did not end within \(seconds) s")
    }

    public func send(_ signal: Int32) {
        if poll() == nil { _ = tc_kill(pid, signal) }
    }

    /// Kills it if it still runs, and reaps it.
    public func end() {
        send(SIGKILL)
        let deadline = Deadline(60)
        while poll() == nil, !deadline.passed { takeBreath() }
    }

    deinit {
        end()
    }
}

/// What a program that has ended left.
public struct Finished: Sendable {
    /// The program and its arguments.
    public var command: [String]
    /// How it ended.
    public var ending: Child.Ending
    /// What it wrote to standard output.
    public var output: String
    /// What it wrote to standard error.
    public var errors: String

    /// It ended by itself, with exit code 0.
    public var succeeded: Bool { ending == .exited(0) }

    /// Self when it ended well; else an error that shows what it printed.
    @discardableResult
    public func orThrow() throws -> Finished {
        if succeeded { return self }
        throw FixtureError(
            "\(command.joined(separator: " ")): \(ending)\n\(output.suffix(2000))\(errors.suffix(2000))")
    }
}

/// Runs a program to its end. Throws where it can't be started or isn't through in time; how it ended is the caller's to
/// judge.
public func run(
    _ arguments: String..., in directory: TestPath? = nil, as who: Identity = .root,
    within seconds: Double = 300
) throws -> Finished {
    try run(arguments, in: directory, as: who, within: seconds)
}

/// The same with a list.
public func run(
    _ arguments: [String], in directory: TestPath? = nil, as who: Identity = .root,
    within seconds: Double = 300
) throws -> Finished {
    let base = try Janitor.base()
    let output = try Sys.open(base, O_RDWR | Flag.temporary, mode: 0o600)
    let errors = try Sys.open(base, O_RDWR | Flag.temporary, mode: 0o600)
    let child = try Child(
        who.prefix + arguments, output: output, errors: errors, directory: directory)
    let ending = try child.wait(within: seconds)
    return Finished(
        command: arguments, ending: ending, output: try text(of: output), errors: try text(of: errors))
}

private func text(of handle: Handle) throws -> String {
    try handle.seek(0)
    return String(decoding: try handle.readAll(), as: UTF8.self)
}

/// The same through the shell.
public func shell(
    _ script: String, in directory: TestPath? = nil, as who: Identity = .root,
    within seconds: Double = 300
) throws -> Finished {
    try run(["sh", "-c", script], in: directory, as: who, within: seconds)
}
