import SwitchTestKit

/// Something to do in a mounted tree, and how to tell that it was done right.
struct Workload: Sendable {
    let name: String
    let summary: String
    let fixture: Fixture
    /// Whether the upper must be made anew afterwards, and the native directory unless it holds a written lower.
    var changesUpper = false
    /// Whether it is compared with the native directory.
    var isTimed = true
    /// The most rounds that it takes part in: for those that last long and vary little.
    var rounds = Int.max
    /// Systems that it says nothing about.
    var leavesOut: Set<System> = []
    /// A program that it can't do without.
    var needs: String?
    /// Done once for each system, in its first mount.
    var once: (@Sendable (Site) throws -> Void)?
    /// Done in the layers before each mount.
    var prepare: (@Sendable (Layers, Supplies) throws -> Void)?
    let measure: @Sendable (Site) throws -> Sample
    /// Checks in the layers, after unmounting, that the work was done; gets the site's stamp.
    var verify: (@Sendable (Layers, Int) throws -> Void)?
}

/// Where a workload runs.
struct Site {
    let system: System
    let root: TestPath
    let layers: Layers
    let process: Int32?
    let startSeconds: Double
    let supplies: Supplies
    /// Another number for each mount, so that what is written differs from what was there.
    let stamp: Int

    /// Times the first pass after mounting. The native directory has no such state, so there passes are repeated.
    func firstPass(_ pass: () throws -> Void) rethrows -> Double {
        if system == .native {
            try pass()
            return try secondsOfPass(pass)
        }
        return try seconds(of: pass)
    }

    /// Times passes after one that isn't counted.
    func laterPasses(_ pass: () throws -> Void) rethrows -> Double {
        try pass()
        return try secondsOfPass(pass)
    }
}

func expect(_ found: Int, _ wanted: Int, _ what: String) throws {
    if found != wanted { throw FixtureError("wrong result: \(found) instead of \(wanted) \(what)") }
}
