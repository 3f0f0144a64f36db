import Glibc
import SwitchTestKit

/// Runs workloads over systems, round by round.
///
/// In a round every workload is run on every system, each freshly mounted. The unions take turns with the native
/// directory: native, A, native, B, native. So each union stands between two native measurements, and is compared
/// with the faster of its neighbours: a machine whose speed drifts, or that is disturbed now and then, then distorts
/// neither side alone. From round to round the order of the unions moves on by one.
final class Runner {
    let settings: SystemSettings
    let workloads: [Workload]
    let store: FixtureStore
    private let supplies: Supplies
    private(set) var results: Results
    /// Fixtures and systems whose first mount has been had.
    private var begun: Set<String> = []

    /// The number of the last mount.
    private var stamp = 0

    init(_ settings: SystemSettings, systems: [System], workloads: [Workload], root: TestPath) throws {
        self.settings = settings
        self.workloads = workloads
        store = FixtureStore(root: root / "f")
        try Sys.makeDirectories(store.root)
        supplies = try Supplies(root: root / "s")
        for setting in Repository.environment(home: supplies.root) {
            unsafe setenv(setting.name, setting.value, 1)
        }
        results = Results(systems: systems, workloads: workloads)
    }

    /// Runs at most `rounds` rounds. After the first, none is begun that wouldn't end before `seconds` have passed.
    func run(rounds: Int, within limit: Double) throws -> Results {
        let start = Clock.now
        for round in 0..<rounds {
            let begin = Clock.now
            if round > 0, begin - start + lastRound > limit {
                Progress.say("no time for another round")
                break
            }
            for index in workloads.indices where round < workloads[index].rounds {
                try runWorkload(index, round)
            }
            results.rounds = round + 1
            Progress.say("round \(round + 1) took \(Int(Clock.now - begin)) s, load \(MachineFacts.load)")
        }
        return results
    }

    /// Seconds that what is done in every round took, without the building of fixtures.
    private var lastRound = 0.0

    private func runWorkload(_ index: Int, _ round: Int) throws {
        let workload = workloads[index]
        Progress.say("round \(round + 1): \(workload.name)")
        try buildAll(workload)
        if index == 0 { lastRound = 0 }
        let took = seconds {
            if workload.isTimed { timeAll(workload, index, round) } else { lookAtAll(workload, index, round) }
        }
        if workload.rounds > round + 1 { lastRound += took }
    }

    private func buildAll(_ workload: Workload) throws {
        for system in results.systems where !workload.leavesOut.contains(system) {
            _ = try store.layers(of: workload.fixture, for: system)
        }
    }

    private func order(_ workload: Workload, _ round: Int) -> [System] {
        let unions = results.unions.filter { !workload.leavesOut.contains($0) }
        guard !unions.isEmpty else { return [] }
        let shift = round % unions.count
        return Array(unions[shift...] + unions[..<shift])
    }

    private func timeAll(_ workload: Workload, _ index: Int, _ round: Int) {
        guard var before = time(workload, .native, index) else { return }
        for system in order(workload, round) {
            guard let seconds = time(workload, system, index) else { continue }
            guard let after = time(workload, .native, index) else { return }
            results.rows[index].timings[system, default: []].append(
                Results.Timing(round: round, seconds: seconds, nativeBefore: before, nativeAfter: after))
            before = after
        }
    }

    private func time(_ workload: Workload, _ system: System, _ index: Int) -> Double? {
        do {
            let seconds = try sample(workload, system).seconds
            if system == .native, let seconds { results.rows[index].native.append(seconds) }
            return seconds
        } catch {
            note(error, system, index)
            return nil
        }
    }

    private func lookAtAll(_ workload: Workload, _ index: Int, _ round: Int) {
        for system in order(workload, round) {
            do {
                for figure in try sample(workload, system).figures { results.rows[index].add(figure, system) }
            } catch {
                note(error, system, index)
            }
        }
    }

    private func note(_ error: any Error, _ system: System, _ index: Int) {
        results.rows[index].failures[system] = "\(error)"
        Progress.say("  \(system.name): \(error)")
    }

    /// The most fresh mounts for one sample.
    private static let mostMounts = 7

    /// One sample: the middle one of several fresh mounts where one is too short to measure.
    private func sample(_ workload: Workload, _ system: System) throws -> Sample {
        var samples: [Sample] = []
        var total = 0.0
        repeat {
            let sample = try oneMount(workload, system)
            samples.append(sample)
            total += sample.seconds ?? shortestMeasurement
        } while total < shortestMeasurement && samples.count < Self.mostMounts
        samples.sort { ($0.seconds ?? 0) < ($1.seconds ?? 0) }
        return samples[samples.count / 2]
    }

    /// A counter has the requests of the passes counted.
    func oneMount(
        _ workload: Workload, _ system: System, counting requests: RequestCounter? = nil
    ) throws -> Sample {
        let layers = try store.layers(of: workload.fixture, for: system)
        if let once = workload.once, begun.insert("\(workload.fixture.name)/\(system.name)").inserted {
            _ = try withMount(system, layers) { try once($0) }
        }
        try workload.prepare?(layers, supplies)
        try warm(workload, system, layers)
        defer { tidyUp(workload, system) }
        let sample = try withMount(system, layers, counting: requests) { site in
            let sample = try workload.measure(site)
            if !system.changesLayers { try workload.verify?(layers.asMounted, site.stamp) }
            return sample
        }
        if system.changesLayers { try workload.verify?(layers, stamp) }
        return sample
    }

    /// Brings the names and inodes of a union's layers into the kernel's memory, unless the native measurement before
    /// did, being one of the very same directory.
    private func warm(_ workload: Workload, _ system: System, _ layers: Layers) throws {
        if system == .native || (workload.isTimed && workload.fixture.lowerIsWhole) { return }
        let roots = [layers.upper.text] + layers.lowers.map(\.text)
        try SwitchTestKit.run(Program.walk(roots)).orThrow()
    }

    private func withMount<Result>(
        _ system: System, _ layers: Layers, counting requests: RequestCounter? = nil,
        _ body: (Site) throws -> Result
    ) throws -> Result {
        stamp += 1
        let mounted = try Mounted(system, layers, settings)
        let site = Site(
            system: system, root: layers.mount, layers: layers, process: mounted.process,
            startSeconds: mounted.startSeconds, supplies: supplies, stamp: stamp,
            requests: requests)
        do {
            let result = try body(site)
            try mounted.stop()
            return result
        } catch {
            try? mounted.stop()
            throw error
        }
    }

    private func tidyUp(_ workload: Workload, _ system: System) {
        guard workload.changesUpper else { return }
        try? store.renew(workload.fixture, for: system)
        try? store.synchronize()
    }
}
