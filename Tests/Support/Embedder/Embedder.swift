import CScarcity
import Glibc
import SwitchFS

/// A program that uses the library, `switchfs-embedder SCARCITY LOWER UPPER MOUNTPOINT`: mounts again and again with
/// less and more of what a mount needs, and looks whether anything is left in it each time.
@main
enum Embedder {
    static func main() throws {
        let arguments = CommandLine.arguments
        guard arguments.count == 5, let scarcity = Scarcity(rawValue: arguments[1]) else {
            throw Complaint("usage: switchfs-embedder threads|descriptors|set-up LOWER UPPER MOUNTPOINT")
        }
        let trial = Trial(lower: arguments[2], upper: arguments[3], mountPoint: arguments[4])
        let fresh = try Holdings(trial.mountPoint)
        guard try trial.succeeds() else { throw Complaint("nothing is scarce, and yet there is no mount") }
        // Descriptors that the process keeps from its first mount on are nothing left behind.
        let before = try fresh.sameThreads()
        for amount in scarcity.amounts {
            let attempt = "\(scarcity.rawValue) \(amount)"
            let isMounted = try scarcity.with(amount) { try trial.succeeds() }
            try before.compare(attempt)
            print("\(attempt): \(isMounted ? "mounted and unmounted" : "refused")")
            let isStrange = isMounted ? amount < scarcity.least : amount == scarcity.amounts.last
            if isStrange { throw Complaint("\(attempt): \(isMounted ? "a mount" : "no mount")") }
        }
    }
}

/// What there is little of.
enum Scarcity: String {
    case threads, descriptors
    case setUp = "set-up"

    /// The last of them is enough.
    var amounts: ClosedRange<Int32> {
        switch self {
        case .threads: 0...10
        case .descriptors: 0...60
        case .setUp: 0...1
        }
    }

    /// With less there can be no mount. Threads: for events, notifications, requests and what sees to them, the
    /// control channel, the layers' roots, and the mount's end.
    var least: Int32 { self == .threads ? 7 : 1 }

    func with<R>(_ amount: Int32, _ body: () throws -> R) throws -> R {
        switch self {
        case .threads:
            scarce_threads(amount)
            defer { scarce_threads(-1) }
            return try body()
        case .setUp:
            scarce_unshare(amount == 0 ? 1 : 0)
            defer { scarce_unshare(0) }
            return try body()
        case .descriptors:
            let others = try FullTable(butFor: amount)
            defer { others.close() }
            return try body()
        }
    }
}

struct Trial {
    let lower: String
    let upper: String
    let mountPoint: String

    /// Mounts and unmounts. False: there was no mount.
    func succeeds() throws -> Bool {
        let mount: SwitchMount
        do throws(MountError) {
            mount = try SwitchMount(MountOptions(lowers: [lower], upper: upper), at: mountPoint)
        } catch {
            return false
        }
        defer { mount.unmount() }
        guard unsafe access(mountPoint + "/below", F_OK) == 0 else {
            throw Complaint("the mount doesn't answer")
        }
        return true
    }
}

struct Complaint: Error, CustomStringConvertible {
    let description: String

    init(_ description: String) { self.description = description }
}
