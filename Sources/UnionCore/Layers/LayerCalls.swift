internal import LinuxSystem
internal import SystemPackage

extension Layers {
    /// Runs a call in a real directory with the caller's credentials. On a pseudo filesystem these are the
    /// exact ones from the start. `isPseudo` nil: the directory is asked whether it is on one.
    func asCaller<R: ~Copyable>(
        _ caller: CallerIdentity, in directory: FileDescriptor, isPseudo: Bool? = nil, exact: Bool = false,
        _ call: () throws(Errno) -> R
    ) throws(Errno) -> R {
        try caller.perform(exact: exact || (isPseudo ?? self.isPseudo(directory)), call)
    }

    func isPseudo(_ directory: FileDescriptor) -> Bool {
        (try? stack.filesystems.facts(of: directory))?.isPseudo ?? true
    }

    /// Throws EROFS if the union or the layer is read-only. Nothing is tried there.
    func checkWritable(_ layer: Layer) throws(Errno) {
        if policies.readOnly || layer.isReadOnly { throw .readOnlyFileSystem }
    }

    func checkWritable() throws(Errno) {
        if policies.readOnly { throw .readOnlyFileSystem }
    }
}
