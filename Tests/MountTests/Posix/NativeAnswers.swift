import SwitchTestKit
import Synchronization

/// What a native directory answers to each family of scenarios; asked once.
enum NativeAnswers {
    private static let known = Mutex<[Family: [[Record]]]>([:])

    static func of(_ family: Family) throws -> [[Record]] {
        if let answers = known.withLock({ $0[family] }) { return answers }
        let answers = try withScratch(below: SharedDisk.path) { scratch throws in
            let native = try scratch.directory("native")
            return try ScenarioRunner(scenarios: family.scenarios, ground: native, view: native).run()
        }
        known.withLock { $0[family] = answers }
        return answers
    }
}

/// An ext4 file system for all the suite's trees, of which a machine's own disk would be a slow kind.
/// Where there are no loop devices: nil, the base directory. The janitor takes it away.
enum SharedDisk {
    static let path = disk?.path

    private static let disk: (scratch: Scratch, path: TestPath)? = {
        guard Machine.hasLoopDevices, let scratch = try? Scratch() else { return nil }
        guard let path = try? scratch.ext4("disk", megabytes: 400) else { return nil }
        return (scratch, path)
    }()
}
