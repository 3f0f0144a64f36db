import Glibc
import LinuxSystem
import SystemPackage
import Testing

/// A directory of a test's own, removed with all it holds at the end.
struct TestDirectory: ~Copyable {
    let path: String
    let owned: OwnedDescriptor
    var root: FileDescriptor { owned.descriptor }

    init() throws(Errno) {
        let base = unsafe getenv("TMPDIR").map { unsafe String(cString: $0) } ?? "/tmp"
        let name = Random.name(prefix: "linuxsystem-")
        path = base + "/" + name.string
        let full = OwnedName(path)
        try FileDescriptor.workingDirectory.makeDirectory(at: full.ref, mode: 0o755)
        owned = try FileDescriptor.workingDirectory.openPlain(full.ref, flags: [.readOnly, .directory])
    }

    deinit {
        try? removeContents(of: root)
        let full = OwnedName(path)
        try? FileDescriptor.workingDirectory.removeDirectory(at: full.ref)
    }

    /// Makes a file with this text.
    func write(_ text: String, to name: PathRef, mode: UInt32 = 0o644) throws(Errno) {
        let file = try root.openBeneath(name, flags: [.writeOnly, .create, .truncate], mode: mode)
        let bytes = OwnedName(text)
        _ = try unsafe file.descriptor.write(from: bytes.ref.bytes, at: 0)
    }

    func read(_ name: PathRef) throws(Errno) -> String {
        let file = try root.openBeneath(name, flags: .readOnly)
        return String(decoding: try file.descriptor.readToEnd(), as: UTF8.self)
    }
}

/// Removes what a directory holds; names first, for removing moves a stream's entries.
private func removeContents(of directory: FileDescriptor) throws(Errno) {
    for name in try names(in: directory) {
        let name = OwnedName(name)
        do {
            try directory.unlink(at: name.ref)
        } catch .isDirectory {
            let child = try directory.openBeneath(name.ref, flags: [.readOnly, .directory, .noFollow])
            try removeContents(of: child.descriptor)
            try directory.removeDirectory(at: name.ref)
        }
    }
}

/// The names of a directory but "." and "..", in its order.
func names(in directory: FileDescriptor) throws(Errno) -> [String] {
    var stream = DirectoryStream(reading: directory)
    try stream.seek(to: 0)
    var names = [String]()
    while let entry = try stream.next() {
        if !entry.name.isDots { names.append(entry.name.string) }
    }
    return names
}

/// Whether the tests may become others, mount and make devices.
let isRoot = ServerIdentity.uid == 0

/// Leaves out the rest of a test, and says why, when `body` fails with one of the errors.
func orSkip<R>(
    _ errors: Set<Errno>, _ reason: Comment, _ body: () throws(Errno) -> R
) throws -> R {
    do throws(Errno) {
        return try body()
    } catch {
        if errors.contains(error) { try skip(reason) }
        throw error
    }
}

/// Leaves out the rest of a test, and says why, when there is no value.
func orSkip<R>(_ value: R?, _ reason: Comment) throws -> R {
    if let value { return value }
    try skip(reason)
}

private func skip(_ reason: Comment) throws -> Never {
    print("skipped: \(reason)")
    try Test.cancel(reason)
}

/// Runs `body` on a thread of its own, so that what it does to the thread ends with it.
func onOwnThread<R: Sendable>(_ body: @escaping @Sendable () throws(Errno) -> R) throws -> R {
    let box = ResultBox<R>()
    let thread = try WorkerThread.spawn(name: "test") { () -> Void in
        do throws(Errno) {
            box.result = .success(try body())
        } catch {
            box.result = .failure(error)
        }
    }
    thread.join()
    guard let result = box.result else { throw Errno.ioError }
    return try result.get()
}

/// Written by one thread before it ends, and read by the one that joined it.
private final class ResultBox<R: Sendable>: @unchecked Sendable {
    var result: Result<R, Errno>?
}
