internal import LinuxSystem
internal import SystemPackage

// What proc shows of the server itself. The kernel lets every thread look into its own process and change it,
// whatever its credentials. So a thread of the server must do nothing there for others.

extension Agents {
    /// Whether the real path in `layer` is one of the server's own entries in a proc filesystem. If that
    /// can't be told (a part of such a filesystem, mounted alone), the answer is yes.
    func isServers(_ path: PathRef, on filesystem: FilesystemFacts, in layer: Layer) -> Bool {
        guard filesystem.type == .proc else { return false }
        return withProcRoot(above: path, of: filesystem, in: layer) { root, rest in
            root?.showsServer(at: rest) ?? true
        }
    }

    /// Lends the root directory of the proc filesystem that `path` is in, and the rest of the path from
    /// there. The directory is nil if it isn't above the path in this layer.
    func withProcRoot<R>(
        above path: PathRef, of filesystem: FilesystemFacts, in layer: Layer,
        _ body: (FileDescriptor?, PathRef) -> R
    ) -> R {
        let device = filesystem.device
        if layer.rootStatus.isProcRoot(on: device) { return body(layer.root.descriptor, path) }
        for index in 0..<path.count where path[index] == 0x2f {
            let prefix = OwnedName(copying: path, count: index)
            guard let directory = try? layer.openObject(at: prefix.ref),
                (try? directory.descriptor.status())?.isProcRoot(on: device) == true
            else { continue }
            return body(directory.descriptor, path.dropFirst(index + 1))
        }
        if !path.isEmpty, let directory = try? layer.openObject(at: path),
            (try? directory.descriptor.status())?.isProcRoot(on: device) == true
        {
            return body(directory.descriptor, "")
        }
        return body(nil, path)
    }
}

extension FileStatus {
    /// Whether it is the root of the proc filesystem with that device number: PROC_ROOT_INO of
    /// <linux/proc_fs.h>.
    func isProcRoot(on device: UInt64) -> Bool { inode == 1 && self.device == device }
}

extension FileDescriptor {
    /// Whether the path in a proc filesystem, whose root this is, begins with the number of a thread of this
    /// process, as that filesystem numbers threads. The kernel itself says what `self` is.
    func showsServer(at path: PathRef) -> Bool {
        var length = 0
        while length < path.count && path[length] != 0x2f {
            guard 0x30...0x39 ~= path[length] else { return false }
            length += 1
        }
        guard length > 0 else { return false }
        let number = OwnedName(copying: path, count: length)
        var thread = PathBuffer(capacity: 64)
        thread.append("self/task")
        thread.append(number.ref)
        return (try? status(at: thread.ref)) != nil
    }
}
