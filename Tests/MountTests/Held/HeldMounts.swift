import SwitchTestKit
import SystemPackage

/// Mounts that users made in a union, here and in a mount namespace of another process, and whether they are there.
final class HeldMounts {
    private struct Held {
        /// In the union.
        var place: TestPath
        var isOthers: Bool
        /// What of it is read, below the place; empty for a file.
        var file: TestPath
        var text: String
    }

    let union: Union
    private let scratch: Scratch
    private let other: MountNamespace
    private var all: [Held] = []

    /// The namespace is made now: mounts that were made before by hand are in it as well.
    init(in union: Union, _ scratch: Scratch) throws {
        self.union = union
        self.scratch = scratch
        other = try MountNamespace()
    }

    /// A tmpfs of somebody's on a directory of the union.
    func tmpfs(on place: TestPath, others: Bool = false) throws {
        let held = Held(place: place, isOthers: others, file: "mark", text: "mounted on \(place)")
        if others {
            try other.mountTmpfs(on: union[place])
        } else {
            try Sys.mount("tmpfs", on: union[place], type: "tmpfs", options: "mode=755")
        }
        try Sys.put(path(of: held), held.text)
        all.append(held)
    }

    /// A file of somebody's on a file of the union.
    func bind(on place: TestPath, others: Bool = false) throws {
        let text = "bound to \(place)"
        let source = scratch.root / "source-\(all.count)"
        try Sys.put(source, text)
        if others {
            try other.bind(source, on: union[place])
        } else {
            try Sys.mount(source.text, on: union[place], type: "none", flags: Flag.bind)
        }
        all.append(Held(place: place, isOthers: others, file: "", text: text))
    }

    /// From now on they are looked for there: a directory above them was renamed.
    func follow(_ old: TestPath, to new: TestPath) {
        for index in all.indices {
            guard let rest = all[index].place.below(old) else { continue }
            all[index].place = new / rest
        }
    }

    /// They went with what they were on.
    func forget(_ place: TestPath) { all.removeAll { $0.place == place } }

    var places: [TestPath] { all.map(\.place) }

    /// What is wrong, in words: a mount that the kernel doesn't know any more, or that doesn't show.
    func complaints() -> [String] {
        all.compactMap { held in
            let owner = held.isOthers ? "another's" : "own"
            let shown = Result { () throws(Errno) in try Sys.text(path(of: held)) }
            guard isKnown(held) else { return "\(owner) on \(held.place) is gone: \(Self.words(shown))" }
            switch shown {
            case .success(held.text): return nil
            default: return "\(owner) on \(held.place) doesn't show: \(Self.words(shown))"
            }
        }
    }

    private static func words(_ shown: Result<String, Errno>) -> String {
        switch shown {
        case .success(let text): "there is \"\(text.prefix(40))\""
        case .failure(let error): error.name
        }
    }

    /// Whether somebody has a mount there.
    func isMounted(_ place: TestPath, others: Bool = false) -> Bool {
        Machine.mounts(of: others ? "\(other.process)" : "self").contains { $0.path == union[place] }
    }

    private func isKnown(_ held: Held) -> Bool { isMounted(held.place, others: held.isOthers) }

    private func path(of held: Held) -> TestPath {
        let place = union[held.place]
        let path = held.file == "" ? place : place / held.file
        return held.isOthers ? other.path(path) : path
    }

    /// A path of the union as the other process sees it.
    func others(_ name: TestPath) -> TestPath { other.path(union[name]) }

    /// Takes all of them away.
    func close() {
        other.close()
        let inside = (union.mount + "/").bytes
        for mount in Machine.mounts.reversed() where mount.path.bytes.starts(with: inside) {
            try? Sys.unmount(mount.path, lazily: true)
        }
    }
}

extension TestPath {
    /// The rest of a path that is below a directory; nil: it isn't.
    func below(_ directory: TestPath) -> TestPath? {
        let start = (directory + "/").bytes
        return bytes.starts(with: start) ? TestPath(bytes: Array(bytes.dropFirst(start.count))) : nil
    }

    /// The directories above, the highest first, without the root.
    var above: [TestPath] {
        let parent = parent
        return parent == "" ? [] : parent.above + [parent]
    }
}
