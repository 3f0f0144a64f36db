import Glibc
import SwitchTestKit
import SystemPackage

/// An attempt to reach a name that must not be there.
enum Reach: Int, CaseIterable, Sendable {
    case remove, overwrite, look, list, read

    /// What was reached, or how it failed otherwise than it must, in words; nil: there is nothing, as it must be.
    func attempt(_ name: TestPath, in directory: TestPath) -> String? {
        let path = directory / name
        do throws(Errno) {
            switch self {
            case .remove: try Sys.unlink(path)
            case .overwrite: _ = try Sys.open(path, O_WRONLY | O_TRUNC)
            case .look: _ = try Sys.facts(path)
            case .list: if try !Sys.names(directory).contains(name) { return nil }
            case .read: _ = try Sys.open(path)
            }
            return "\(self) reached \(name)"
        } catch {
            return error == .noSuchFileOrDirectory ? nil : "\(self) ended with \(error.name)"
        }
    }

    /// By turns.
    static subscript(_ number: Int) -> Reach { allCases[number % allCases.count] }
}
