public import SystemPackage

/// What a walk does after it has come to an entry.
public enum WalkStep {
    /// Goes on, and not into the entry.
    case pass
    /// Goes on, and later into the entry, which is a directory.
    case enter
    /// Ends.
    case stop
}

extension FileDescriptor {
    /// Goes through the tree below the directory `start` of this one, each directory before what is in it.
    ///
    /// `visit` gets the directory that holds the entry, the entry, and the holder's path from this descriptor; it is never
    /// called for "." and "..". No symlink is followed. A directory that can't be read is passed over. The walk goes by a
    /// list and not by calls: how deep the tree is isn't ours to say.
    public func walkTree(
        at start: PathRef = "", _ visit: (FileDescriptor, DirectoryEntry, _ path: [UInt8]) -> WalkStep
    ) {
        var pending = [start.array]
        while let path = pending.popLast() {
            let name = OwnedName(path)
            guard
                let directory = try? openBeneath(name.ref, flags: [.readOnly, .directory, .noFollow])
            else { continue }
            var stream = DirectoryStream(reading: directory.descriptor)
            while let entry = try? stream.next() {
                if entry.name.isDots { continue }
                switch visit(directory.descriptor, entry, path) {
                case .pass: break
                case .enter: pending.append(path.appending(entry.name))
                case .stop: return
                }
            }
        }
    }

    /// Where the object is in this process's namespace now; empty where that can't be said.
    public var currentPath: [UInt8] {
        let link = OwnedName("/proc/self/fd/\(rawValue)")
        return unsafe [UInt8](unsafeUninitializedCapacity: 4096) { buffer, count in
            let room = UnsafeMutableRawBufferPointer(buffer)
            count = unsafe (try? FileDescriptor.workingDirectory.readLink(at: link.ref, into: room)) ?? 0
        }
    }

    /// With what the paths of all that is in the directory begin: its own path now, and a slash.
    public var pathPrefix: [UInt8] {
        let path = currentPath
        return path.last == UInt8(ascii: "/") ? path : path + [UInt8(ascii: "/")]
    }
}

extension [UInt8] {
    /// The path of an entry of the directory whose path this is; the empty path is the directory that paths start from.
    public func appending(_ name: PathRef) -> [UInt8] {
        self + (isEmpty ? [] : [UInt8(ascii: "/")]) + name.array
    }
}
