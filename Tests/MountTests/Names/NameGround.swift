import SwitchTestKit
import SystemPackage
import Testing

/// How the layers of the combinations are mounted.
struct NameSetting: Sendable, CustomTestStringConvertible {
    var layers = 3
    var hasUpper = true
    /// By number; the topmost is 0.
    var readOnly: [Int] = []
    var options: [String] = []
    /// Errors besides EXDEV and EROFS that a union may give where nothing is changed.
    var allowed: [Errno] = []

    var testDescription: String {
        var words = ["\(layers) layers"]
        if !hasUpper { words.append("no upper") }
        if !readOnly.isEmpty { words.append("read-only \(readOnly)") }
        return (words + options).joined(separator: ", ")
    }

    func mayRefuse(_ error: Errno) -> Bool {
        error == .improperLink || error == .readOnlyFileSystem || allowed.contains(error)
    }
}

/// A union of layers that hold a directory for each combination, and beside it the same as plain directories.
struct NameGround {
    let setting: NameSetting
    let cases: [NameCase]
    private let layers: [TestPath]
    private let plain: TestPath

    init(_ setting: NameSetting, _ cases: [NameCase], in scratch: Scratch) throws {
        self.setting = setting
        self.cases = cases
        let ground = try scratch.tmpfs("ground")
        let names = (0..<setting.layers).map { TestPath("layer\($0)") }
        layers = names.map { ground / $0 }
        plain = ground / "plain"
        for path in layers + [plain] { try Sys.makeDirectory(path) }
        for (number, combination) in cases.enumerated() {
            try combination.build(in: layers, as: Self.name(number))
            try combination.buildPlain(at: plain / Self.name(number))
        }
    }

    private static func name(_ number: Int) -> TestPath { TestPath("c\(number)") }

    /// Makes each call on the union and on the plain directory. What is wrong, in words.
    func run(in scratch: Scratch) throws -> [String] {
        let lowers = Array(layers.dropFirst(setting.hasUpper ? 1 : 0))
        let attributes = lowers.indices.map { index in
            setting.readOnly.contains(index + (setting.hasUpper ? 1 : 0)) ? "ro" : ""
        }
        return try withUnion(
            in: scratch, upper: setting.hasUpper ? layers[0] : nil, lowers: lowers, attributes: attributes,
            options: setting.options
        ) { union throws in
            var wrong: [String] = []
            var refused = 0
            for number in cases.indices {
                let (complaint, isRefused) = try judge(number, union.mount)
                if let complaint { wrong.append("\(cases[number]): \(complaint)") }
                if isRefused { refused += 1 }
            }
            print("\(setting.testDescription): \(cases.count) combinations, \(refused) refused")
            guard wrong.isEmpty else { return wrong }
            // What is shown now is what the layers hold.
            let shown = try Snapshot(union.mount, inodes: true)
            try union.restart()
            return try Snapshot(union.mount, inodes: true).differences(from: shown)
        }
    }

    /// What is wrong with one call's outcome, and whether it was refused.
    private func judge(_ number: Int, _ mount: TestPath) throws -> (String?, Bool) {
        let name = Self.name(number)
        let (union, plain) = (mount / name, self.plain / name)
        let before = try Snapshot(union)
        if let line = try before.differences(from: Snapshot(plain)).first {
            return ("at first \(line)", false)
        }
        let moved = try? Sys.facts(union / "s").inode
        let held = try state(of: name)
        let error = cases[number].call.run(in: union)
        if let error {
            if try state(of: name) != held { return ("\(error.name), and layers changed", false) }
            if let line = try Snapshot(union).differences(from: before).first {
                return ("\(error.name), and \(line)", false)
            }
            if setting.mayRefuse(error) {
                // What was refused isn't done on the other side either.
                return (nil, true)
            }
        }
        let expected = cases[number].call.run(in: plain)
        if error != expected {
            return ("\(error?.name ?? "success"), not \(expected?.name ?? "success")", false)
        }
        if let line = try Snapshot(union).differences(from: Snapshot(plain)).first { return (line, false) }
        if error == nil, NameCall.twoNames.contains(cases[number].call),
            try Sys.facts(union / "t").inode != moved
        {
            return ("the object has another number", false)
        }
        return (nil, false)
    }

    /// All that the layers hold of a case, marks included.
    private func state(of name: TestPath) throws -> [TestPath: String] {
        var state: [TestPath: String] = [:]
        for layer in layers {
            for (path, item) in try Snapshot(layer / name, inodes: true).items {
                let full = layer / name / path
                let marks = item.kind == .directory ? try Sys.xattrs(full).sorted() : []
                state[full] = "\(item) \(marks)"
            }
        }
        return state
    }
}
