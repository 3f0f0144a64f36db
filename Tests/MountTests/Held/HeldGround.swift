import Glibc
import SwitchTestKit
import SystemPackage
import Testing

/// A file system for the lower of a union in which directories are held while they go.
enum HeldGround: String, CaseIterable, Sendable, CustomTestStringConvertible {
    case tmpfs, ext4, cgroup2, cgroup1

    var testDescription: String { rawValue }

    static let available = allCases.filter { ground in
        switch ground {
        case .tmpfs: true
        case .ext4: Machine.hasLoopDevices
        case .cgroup2: Machine.cgroup2 != nil
        case .cgroup1: Machine.cgroup1 != nil
        }
    }

    var isCgroup: Bool { self == .cgroup1 || self == .cgroup2 }

    /// Runs `body` with a union whose lower, a new directory of the file system, is empty.
    func withUnion(mode: String, _ body: (Union) throws -> Void) throws {
        try withScratch { scratch throws in
            switch self {
            case .tmpfs: try Self.withUnion(scratch, on: scratch.tmpfs("ground"), mode, body)
            case .ext4: try Self.withUnion(scratch, on: scratch.ext4("ground"), mode, body)
            case .cgroup1, .cgroup2:
                let hierarchy = self == .cgroup1 ? Machine.cgroup1 : Machine.cgroup2
                try withCgroup(in: hierarchy, "held-\(rawValue)-\(mode)") { group throws in
                    let upper = try scratch.tmpfs("ground") / "upper"
                    try Sys.makeDirectory(upper)
                    try SwitchTestKit.withUnion(
                        in: scratch, upper: upper, lowers: [group.path], options: ["coherence=\(mode)"], body)
                }
            }
        }
    }

    private static func withUnion(
        _ scratch: Scratch, on ground: TestPath, _ mode: String, _ body: (Union) throws -> Void
    ) throws {
        for name in ["upper", "lower"] as [TestPath] { try Sys.makeDirectory(ground / name) }
        try SwitchTestKit.withUnion(
            in: scratch, upper: ground / "upper", lowers: [ground / "lower"],
            options: ["coherence=\(mode)"], body)
    }
}
