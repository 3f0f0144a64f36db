import SwitchTestKit

/// What was measured, with what and on what. Made before anything is measured.
struct Heading: Encodable {
    struct Candidate: Encodable {
        var name: String
        var version: String
        var options: String
    }

    let date = MachineFacts.date
    let kernel = MachineFacts.kernel
    let processors = MachineFacts.processors
    let memory = MachineFacts.memoryMegabytes
    let load = MachineFacts.load
    let fileSystem: String
    let size: Size
    let candidates: [Candidate]

    init(settings: SystemSettings, systems: [System], size: Size, root: TestPath) {
        self.size = size
        fileSystem = MachineFacts.fileSystem(of: root)
        candidates = systems.filter { $0 != .native }.map { system in
            Candidate(
                name: system.name, version: settings.version(of: system),
                options: settings.options(of: system))
        }
    }

    var text: String {
        let lines = candidates.map { candidate in
            "\(candidate.name): \(candidate.version)"
                + (candidate.options.isEmpty ? "" : ", -o \(candidate.options)")
        }
        return ([machine + ", load \(load)"] + lines).joined(separator: "\n") + "\n"
    }

    /// One line.
    var machine: String {
        "\(date), Linux \(kernel), \(processors) processors, \(memory) MiB, \(fileSystem), size \(size.rawValue)"
    }
}
