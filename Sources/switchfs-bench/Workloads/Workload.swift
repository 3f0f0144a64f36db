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
    /// Counts the requests of passes; then times mean nothing.
    let requests: RequestCounter?

    /// Times the first pass after mounting. The native directory has no such state, so there passes are repeated.
    func firstPass(_ pass: () throws -> Void) throws -> Double {
        if let requests { return try requests.count(pass) }
        if system == .native {
            try pass()
            return try secondsOfPass(pass)
        }
        return try seconds(of: pass)
    }

    /// Times passes after one that isn't counted.
    func laterPasses(_ pass: () throws -> Void) throws -> Double {
        if let requests { return try requests.count(pass) }
        try pass()
        return try secondsOfPass(pass)
    }

    /// Times passes of which the first is like the others.
    func passes(_ pass: () throws -> Void) throws -> Double {
        if let requests { return try requests.count(pass) }
        return try secondsOfPass(pass)
    }

    /// Times what can't be done again in this mount.
    func onlyPass(_ pass: () throws -> Void) throws -> Double {
        if let requests { return try requests.count(passes: 1, pass) }
        return try seconds(of: pass)
    }
}

func expect(_ found: Int, _ wanted: Int, _ what: String) throws {
    if found != wanted { throw FixtureError("wrong result: \(found) instead of \(wanted) \(what)") }
}
