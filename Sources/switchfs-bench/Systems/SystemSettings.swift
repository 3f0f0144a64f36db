import CFloor
import SwitchTestKit

/// Which programs are measured, and how they are called.
struct SystemSettings: Sendable {
    var switchfs: String
    var switchfsOptions: String
    var baseline: String?
    var baselineOptions: String

    /// Options besides the layers, as a user would give them.
    func options(of system: System) -> String {
        switch system {
        case .native, .overlay, .floor: ""
        case .fuseOverlayfs: "allow_other"
        // The default policy makes files only where their directory is, and the default numbers change.
        case .mergerfs: "allow_other,category.create=ff,use_ino"
        case .unionfs: "allow_other,cow"
        case .switchfs: switchfsOptions
        case .baseline: baselineOptions
        }
    }

    func program(of system: System) -> String? {
        switch system {
        case .native, .overlay: nil
        case .floor: "/proc/self/exe"
        case .fuseOverlayfs, .mergerfs: system.name
        case .unionfs: "unionfs-fuse"
        case .switchfs: switchfs
        case .baseline: baseline
        }
    }

    /// The command of a server that stays in the foreground.
    func command(of system: System, _ layers: Layers) -> [String]? {
        guard let program = program(of: system) else { return nil }
        let options = options(of: system)
        let lowers = layers.lowers.map(\.text)
        switch system {
        case .native, .overlay:
            return nil
        case .floor:
            return [program, FloorCommand.name, layers.mount.text, layers.upper.text] + lowers
        case .fuseOverlayfs, .switchfs, .baseline:
            let words = [overlayOptions(layers)] + (options.isEmpty ? [] : [options])
            return [program, "-f", "-o", words.joined(separator: ","), layers.mount.text]
        case .mergerfs:
            let branches = ([layers.upper.text] + lowers).joined(separator: ":")
            return [program, "-f", "-o", options, branches, layers.mount.text]
        case .unionfs:
            let branches = (["\(layers.upper)=RW"] + lowers.map { $0 + "=RO" }).joined(separator: ":")
            return [program, "-f", "-o", options, branches, layers.mount.text]
        }
    }

    func overlayOptions(_ layers: Layers) -> String {
        let lowers = layers.lowers.map(\.text).joined(separator: ":")
        return "lowerdir=\(lowers),upperdir=\(layers.upper),workdir=\(layers.work)"
    }

    /// Why the system can't be measured here; nil when it can.
    func obstacle(to system: System) -> String? {
        switch system {
        case .native: return nil
        case .overlay: return Machine.hasOverlay ? nil : "the kernel has no overlayfs"
        default:
            guard let program = program(of: system) else { return "no program given" }
            if program.contains("/") {
                return Sys.exists(TestPath(program)) ? nil : "\(program) is not there"
            }
            return Machine.hasProgram(program) ? nil : "\(program) is not installed"
        }
    }

    /// What the system calls its version.
    func version(of system: System) -> String {
        switch system {
        case .native, .overlay:
            return "Linux " + MachineFacts.kernel
        case .floor:
            return "libfuse " + (unsafe String(cString: floor_library_version()))
        case .fuseOverlayfs, .mergerfs, .switchfs, .baseline:
            return firstLine(of: [program(of: system) ?? "", "--version"], containing: versionWord(system))
        case .unionfs:
            return firstLine(of: ["unionfs-fuse", "-V"], containing: "unionfs-fuse")
        }
    }

    private func versionWord(_ system: System) -> String {
        system == .baseline ? "switchfs" : system.name
    }

    private func firstLine(of command: [String], containing word: String) -> String {
        guard let finished = try? run(command) else { return "unknown" }
        let lines = (finished.output + finished.errors).split(separator: "\n").map(String.init)
        return lines.first { $0.contains(word) } ?? "unknown"
    }
}
