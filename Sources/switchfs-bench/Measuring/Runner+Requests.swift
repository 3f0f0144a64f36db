/// What of one workload was counted on one system.
struct CountedWorkload {
    let name: String
    let system: System
    /// Pass by pass.
    let passes: [RequestCounter.Counts]
}

extension Runner {
    /// Runs each workload once on each system that counts its requests, in passes that nobody times.
    func countRequests() -> [CountedWorkload] {
        workloads.filter(\.isTimed).flatMap { workload in
            results.systems.filter(\.countsRequests).compactMap { system in
                do {
                    return try count(workload, system)
                } catch {
                    Progress.say("  \(workload.name), \(system.name): \(error)")
                    return nil
                }
            }
        }
    }

    private func count(_ workload: Workload, _ system: System) throws -> CountedWorkload {
        Progress.say("requests: \(workload.name)")
        let mount = try store.layers(of: workload.fixture, for: system).mount
        let counter = RequestCounter(program: settings.program(of: system) ?? "", mount: mount)
        _ = try oneMount(workload, system, counting: counter)
        return CountedWorkload(name: workload.name, system: system, passes: counter.passes)
    }
}
