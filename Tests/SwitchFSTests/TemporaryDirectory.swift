import LinuxSystem
import SystemPackage

/// A directory of a test's own, removed with everything in it at the end.
final class TemporaryDirectory {
    let path: String
    private var made: [String] = []

    init() throws {
        let name = Random.name(prefix: "/tmp/switchfs-unit-")
        path = name.string
        try FileDescriptor.workingDirectory.makeDirectory(at: name.ref, mode: 0o755)
    }

    /// Makes directories below, parents first. Returns the last one's path.
    @discardableResult
    func directory(_ names: String...) throws -> String {
        var last = path
        for name in names {
            last = path + "/" + name
            let ref = OwnedName(last)
            try FileDescriptor.workingDirectory.makeDirectory(at: ref.ref, mode: 0o755)
            made.append(last)
        }
        return last
    }

    func file(_ name: String, _ text: String = "") throws -> String {
        let full = path + "/" + name
        let ref = OwnedName(full)
        let file = try FileDescriptor.workingDirectory.openPlain(
            ref.ref, flags: [.writeOnly, .create, .exclusive], mode: 0o644)
        let bytes = OwnedName(text)
        _ = try unsafe file.descriptor.write(from: bytes.ref.bytes, at: 0)
        made.append(full)
        return full
    }

    func link(_ name: String, to target: String) throws -> String {
        let full = path + "/" + name
        let ref = OwnedName(full)
        let pointed = OwnedName(target)
        try FileDescriptor.workingDirectory.makeSymlink(at: ref.ref, target: pointed.ref)
        made.append(full)
        return full
    }

    deinit {
        for path in made.reversed() + [path] {
            let ref = OwnedName(path)
            let directory = FileDescriptor.workingDirectory
            if (try? directory.unlink(at: ref.ref)) == nil { try? directory.removeDirectory(at: ref.ref) }
        }
    }
}
