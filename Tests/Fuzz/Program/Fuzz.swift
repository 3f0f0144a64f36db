// Feeds what comes from outside to whatever decodes it. Built with libFuzzer (`make fuzz`) this is a fuzzer of the
// target that SWITCHFS_FUZZ_TARGET names; built without, a program that replays files and makes seeds.

#if FUZZER
    @_cdecl("LLVMFuzzerInitialize")
    public func initializeFuzzer(_: UnsafeMutableRawPointer?, _: UnsafeMutableRawPointer?) -> Int32 {
        chosen.prepare()
        return 0
    }

    @_cdecl("LLVMFuzzerTestOneInput")
    public func fuzzOneInput(_ bytes: UnsafePointer<UInt8>?, _ count: Int) -> Int32 {
        chosen.run(unsafe Array(UnsafeBufferPointer(start: bytes, count: count)))
        return 0
    }

    private let chosen = FuzzTarget.named(Machine.environment("SWITCHFS_FUZZ_TARGET") ?? "")
#else
    @main
    struct Replay {
        private static let usage = """
            usage: switchfs-fuzz replay DIRECTORY        each file below DIRECTORY/TARGET to that target
                   switchfs-fuzz seed DIRECTORY          writes well-formed inputs there, by target
            targets: \(FuzzTarget.allCases.map(\.rawValue).joined(separator: " "))
            """

        static func main() {
            let arguments = CommandLine.arguments.dropFirst()
            switch (arguments.first, arguments.count) {
            case ("replay"?, 2): replay(arguments[2])
            case ("seed"?, 2): for target in FuzzTarget.allCases { seed(target, arguments[2]) }
            default: fail(usage)
            }
        }

        /// Reads everything before the first target runs: a server that a target starts leaves the working directory.
        private static func replay(_ directory: String) {
            let inputs = FuzzTarget.allCases.map { ($0, Machine.files(in: "\(directory)/\($0.rawValue)")) }
            for (target, inputs) in inputs {
                if inputs.isEmpty { fail("no inputs for \(target.rawValue) in \(directory)") }
                replay(target, inputs)
            }
        }

        private static func replay(_ target: FuzzTarget, _ inputs: [[UInt8]]) {
            if target == .requests, !Machine.isRoot {
                return print("requests: skipped, not root: they need a mount namespace")
            }
            target.prepare()
            for input in inputs { target.run(input) }
            print("\(target.rawValue): \(inputs.count) inputs")
        }

        private static func seed(_ target: FuzzTarget, _ directory: String) {
            let place = "\(directory)/\(target.rawValue)"
            Machine.makeDirectory(place)
            for (index, input) in target.seeds.enumerated() {
                Machine.write(input, to: "\(place)/seed-\(index)")
            }
        }
    }
#endif

/// What bytes are fed to.
enum FuzzTarget: String, CaseIterable {
    /// FUSE requests, to a server over a real union.
    case requests
    case rules
    case options
    case control
    /// What the union has written to disk.
    case marks
    case mounts

    static func named(_ name: String) -> FuzzTarget {
        guard let target = FuzzTarget(rawValue: name) else {
            fail("SWITCHFS_FUZZ_TARGET: no target '\(name)'")
        }
        return target
    }

    func prepare() {
        if self == .requests { Machine.enterPlayground() }
    }

    func run(_ input: [UInt8]) {
        switch self {
        case .requests: RequestTarget.run(input)
        case .rules: TextTargets.rules(input)
        case .options: TextTargets.options(input)
        case .control: TextTargets.control(input)
        case .marks: TextTargets.marks(input)
        case .mounts: TextTargets.mounts(input)
        }
    }

    var seeds: [[UInt8]] {
        switch self {
        case .requests: RequestSeeds.all
        case .rules: TextSeeds.rules
        case .options: TextSeeds.options
        case .control: TextSeeds.control
        case .marks: TextSeeds.marks
        case .mounts: TextSeeds.mounts
        }
    }
}

/// A finding: ends the process so that libFuzzer keeps the input.
func fail(_ message: String) -> Never {
    Machine.complain(message)
    #if FUZZER
        fatalError(message)
    #else
        Machine.exit(1)
    #endif
}
