import Glibc
import Synchronization
import SystemPackage

/// A temporary directory with file systems mounted in it. All of it goes with `close`.
public final class Scratch: Sendable {
    public let root: TestPath
    private let mounts = Mutex<[TestPath]>([])

    /// Below the base directory of all tests, or below a file system that was mounted in it.
    public init(below parent: TestPath? = nil) throws {
        root = try Janitor.newDirectory(below: parent)
    }

    deinit {
        close()
    }

    /// Unmounts, newest first, and removes the directory. Called again, does nothing.
    public func close() {
        while let path = mounts.withLock({ $0.popLast() }) { Self.unmount(path) }
        // What a program under test left mounted by mistake.
        let inside = (root + "/").bytes
        for mount in Machine.mounts.reversed() where mount.path.bytes.starts(with: inside) {
            Self.unmount(mount.path)
        }
        Sys.removeTree(root)
    }

    /// A new directory of that name.
    public func directory(_ name: TestPath, mode: UInt32 = 0o755) throws -> TestPath {
        let path = root / name
        try Sys.makeDirectories(path)
        try Sys.changeMode(path, mode)
        return path
    }

    /// A directory that holds that tree.
    public func tree(_ name: TestPath, _ tree: Tree) throws -> TestPath {
        let path = try directory(name)
        try tree.build(at: path)
        return path
    }

    public func tmpfs(_ name: TestPath, options: String = "mode=755") throws -> TestPath {
        try mount("tmpfs", name, type: "tmpfs", options: options)
    }

    /// An ext4 file system in a file, on a loop device that goes with its mount. `options` are those of mkfs.ext4.
    public func ext4(_ name: TestPath, megabytes: Int = 64, options: [String] = []) throws -> TestPath {
        let image = root / (name + ".img")
        try Sys.open(image, O_RDWR | O_CREAT).truncate(to: Int64(megabytes) << 20)
        try run(["mkfs.ext4", "-q", "-F", "-m", "0"] + options + [image.text]).orThrow()
        let path = try directory(name)
        try run("mount", "-o", "loop", image.text, path.text).orThrow()
        mounts.withLock { $0.append(path) }
        return path
    }

    /// A kernel overlay of new directories, its lower holding that tree.
    public func overlay(_ name: TestPath, lower: Tree, upper: Tree = [:]) throws -> TestPath {
        let lower = try tree(name + ".lower", lower)
        let upper = try tree(name + ".upper", upper)
        let work = try directory(name + ".work")
        return try mount(
            "overlay", name, type: "overlay",
            options: "lowerdir=\(lower),upperdir=\(upper),workdir=\(work)")
    }

    public func bpf(_ name: TestPath) throws -> TestPath {
        try mount("bpf", name, type: "bpf")
    }

    public func proc(_ name: TestPath) throws -> TestPath {
        try mount("proc", name, type: "proc")
    }

    public func sysfs(_ name: TestPath) throws -> TestPath {
        try mount("sysfs", name, type: "sysfs")
    }

    public func bind(_ source: TestPath, _ name: TestPath) throws -> TestPath {
        try mount(source.text, name, type: "none", flags: 4096)
    }

    /// Any file system on a new directory.
    public func mount(
        _ source: String, _ name: TestPath, type: String, flags: UInt = 0, options: String = ""
    ) throws -> TestPath {
        let path = try directory(name)
        try Sys.mount(source, on: path, type: type, flags: flags, options: options)
        mounts.withLock { $0.append(path) }
        return path
    }

    /// Politely for a moment, then by force.
    static func unmount(_ path: TestPath) {
        if (try? Sys.unmountOnceFree(path, within: 30)) == false { try? Sys.unmount(path, lazily: true) }
    }
}

/// Runs `body` with a temporary directory that goes afterwards, whatever happens.
public func withScratch<Result>(
    below parent: TestPath? = nil, _ body: (Scratch) throws -> Result
) throws -> Result {
    let scratch = try Scratch(below: parent)
    defer { scratch.close() }
    return try body(scratch)
}
