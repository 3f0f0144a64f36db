import Glibc
import LinuxSystem
import SystemPackage
import Testing
import UnionCore

/// A union over fresh real directories, driven without FUSE, removed at the end.
final class Fixture: Sendable {
    let base: String
    let union: Union
    private let ownsBase: Bool

    var upper: String { base + "/upper" }
    var work: String { base + "/work" }
    func lower(_ index: Int = 1) -> String { base + "/lower\(index)" }

    /// `before` fills the layers before the union is opened; they are there already.
    init(
        lowers: Int = 1, upper: Bool = true, readOnly: Set<Int> = [], oci: Set<Int> = [],
        coherence: CoherenceMode? = nil, watcher: (any ChangeSource)? = nil,
        policies: (inout Policies) -> Void = { _ in },
        before: (String) -> Void = { _ in }
    ) throws {
        let base = "/tmp/switchfs-engine-\(getpid())-\(UInt64.random(in: 0 ... .max))"
        let names = ["", "/upper", "/work"] + (1...lowers).map { "/lower\($0)" }
        for name in names { try Fixture.makeDirectory(base + name) }
        before(base)
        var layers = (1...lowers).map { index in
            LayerConfiguration(
                path: base + "/lower\(index)", readOnly: readOnly.contains(index),
                coherence: coherence, isOCI: oci.contains(index))
        }
        if upper { layers.insert(LayerConfiguration(path: base + "/upper", coherence: coherence), at: 0) }
        var configuration = UnionConfiguration(layers: layers, hasUpper: upper)
        configuration.workDirectory = upper ? base + "/work" : nil
        policies(&configuration.policies)
        self.base = base
        ownsBase = true
        union = try Union(configuration: configuration, backing: nil, watcher: watcher)
    }

    /// A union over directories that somebody else made and removes; `base` holds `upper`, `lower1` and `work`
    /// unless the configuration says otherwise.
    init(base: String, configuration: UnionConfiguration) throws {
        self.base = base
        ownsBase = false
        union = try Union(configuration: configuration, backing: nil)
    }

    deinit { if ownsBase { run("rm", "-rf", base) } }

    private static func makeDirectory(_ path: String) throws(Errno) {
        let name = OwnedName(path)
        try FileDescriptor.workingDirectory.makeDirectory(at: name.ref, mode: 0o755)
    }
}

let root = CallerIdentity(uid: geteuid(), gid: getegid(), pid: getpid())

let isRoot = root.uid == 0

/// Runs a program and waits for it; its failure is the test's business only where it looks.
@discardableResult
func run(_ words: String...) -> Int32 {
    var pid: pid_t = 0
    var arguments: [UnsafeMutablePointer<CChar>?] = unsafe []
    for word in words { unsafe arguments.append(strdup(word)) }
    unsafe arguments.append(nil)
    let failed = unsafe posix_spawnp(&pid, words[0], nil, nil, arguments, environ)
    for index in unsafe arguments.indices { unsafe free(arguments[index]) }
    guard failed == 0 else { return -1 }
    var status: Int32 = 0
    unsafe waitpid(pid, &status, 0)
    return status >> 8 & 0xff
}

/// A small shell script: the quickest way to say what a layer holds.
@discardableResult
func shell(_ script: String) -> Int32 { run("sh", "-ec", script) }
