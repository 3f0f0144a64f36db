public import SystemPackage

/// What a walk does after it has come to an entry.
public enum WalkStep {
    /// The walk goes on, but not into the entry.
    case pass
    /// The walk goes on, and later into the entry, which is a directory.
    case enter
    /// The walk ends.
    case stop
}

extension FileDescriptor {
    /// Walks the tree below the directory `start` of this one, each directory before what is in it.
    ///
    /// `visit` gets the directory that holds the entry, the entry, and the holder's path from this
    /// descriptor. It is never called for "." and "..". The walk follows no symbolic link, and passes over a
    /// directory that can't be read. It goes by a list and not by recursive calls, as the tree may be of any
    /// depth.
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

    /// The object's path in this process's namespace now. Empty: it can't be told.
    public var currentPath: [UInt8] {
        let link = OwnedName("/proc/self/fd/\(rawValue)")
        return unsafe [UInt8](unsafeUninitializedCapacity: 4096) { buffer, count in
            let room = UnsafeMutableRawBufferPointer(buffer)
            count = unsafe (try? FileDescriptor.workingDirectory.readLink(at: link.ref, into: room)) ?? 0
        }
    }

    /// What the paths of all that is in the directory begin with: its own path now, and a slash.
    public var pathPrefix: [UInt8] {
        let path = currentPath
        return path.last == UInt8(ascii: "/") ? path : path + [UInt8(ascii: "/")]
    }
}

extension [UInt8] {
    /// The path of an entry of the directory whose path this is. The empty path is the directory that paths
    /// start from.
    public func appending(_ name: PathRef) -> [UInt8] {
        self + (isEmpty ? [] : [UInt8(ascii: "/")]) + name.array
    }
}
