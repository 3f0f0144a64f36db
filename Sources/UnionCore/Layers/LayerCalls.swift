internal import LinuxSystem
internal import SystemPackage

extension Layers {
    /// Runs a call in a real directory with the caller's credentials: the true ones from the start on a pseudo filesystem.
    func asCaller<R: ~Copyable>(
        _ caller: CallerIdentity, in directory: FileDescriptor, exact: Bool = false,
        _ call: () throws(Errno) -> R
    ) throws(Errno) -> R {
        try caller.perform(exact: exact || isPseudo(directory), call)
    }

    func isPseudo(_ directory: FileDescriptor) -> Bool {
        guard let status = try? directory.status() else { return true }
        return stack.filesystems.facts(of: status.device, asking: directory).isPseudo
    }

    /// Where the union or the layer is read-only nothing is tried.
    func checkWritable(_ layer: Layer) throws(Errno) {
        if policies.readOnly || layer.isReadOnly { throw .readOnlyFileSystem }
    }

    func checkWritable() throws(Errno) {
        if policies.readOnly { throw .readOnlyFileSystem }
    }
}
