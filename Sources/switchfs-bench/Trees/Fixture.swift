import SwitchTestKit

/// A set of layers that workloads run over.
struct Fixture: Sendable {
    let name: String
    /// The number of lowers.
    var lowers = 1
    /// Whether the upper holds something to begin with.
    var fillsUpper = false
    /// Whether files of the lowers are written, so that each system needs its own.
    var writesLowers = false
    /// Whether the lower is a cgroup, with cgroups in it.
    var isOfCgroups = false
    /// Writes the layers; called with those left out that are there already.
    let build: @Sendable (TreeWriter) throws -> Void

    /// Whether the lower by itself is what the union shows, so that it can be measured natively as it is.
    var lowerIsWhole: Bool { lowers == 1 && !fillsUpper && !writesLowers }
}
