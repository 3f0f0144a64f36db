/// Why a mount, or a command on a mount, could not be done: one line that says what, and what to do.
public struct MountError: Error, Equatable, Sendable, CustomStringConvertible {
    /// Whose fault it is; the command's exit code follows from it.
    public enum Kind: Sendable, Equatable {
        /// The command line is wrong: unknown option, unknown value, missing argument.
        case usage
        /// The command line is right, and what it asks for can't be had.
        case failure
    }

    /// Whose fault it is.
    public let kind: Kind
    /// The line, without a line end and without the program's name.
    public let message: String

    /// An error of this kind with this line.
    public init(_ kind: Kind, _ message: String) {
        self.kind = kind
        self.message = message
    }

    /// The message.
    public var description: String { message }

    /// What a process that ends because of this error exits with: 2 for ``Kind/usage``, 1 for ``Kind/failure``.
    public var exitCode: Int32 {
        switch kind {
        case .usage: 2
        case .failure: 1
        }
    }

    static func usage(_ message: String) -> MountError { MountError(.usage, message) }
    static func failure(_ message: String) -> MountError { MountError(.failure, message) }
}
