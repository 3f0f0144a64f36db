internal import LinuxSystem
internal import SystemPackage

// Everything that is opened or changed in a layer is opened or changed as the caller.

extension Union {
    /// Runs a layer call with the caller's credentials, in one place for all operations.
    ///
    /// Supplementary groups are dear to learn. On ordinary filesystems the kernel has already judged the
    /// request with the caller's true groups, so the call is first made without them, and again with them
    /// where it is refused. Files of pseudo filesystems judge by who acts: there they are always taken.
    func asCaller<R: ~Copyable>(
        _ caller: CallerIdentity, allGroups: Bool = false, _ call: () throws(Errno) -> R
    ) throws(Errno) -> R {
        guard !allGroups else {
            return try CredentialScope.run(as: caller, groups: .ofProcess(caller.pid), call)
        }
        do {
            return try CredentialScope.run(as: caller, groups: .none, call)
        } catch .permissionDenied, .notPermitted {
            guard caller.uid != 0 else { return try CredentialScope.run(as: caller, groups: .none, call) }
            return try CredentialScope.run(as: caller, groups: .ofProcess(caller.pid), call)
        }
    }

    /// Whether the caller is in the group, by primary or supplementary membership.
    func isMember(_ caller: CallerIdentity, of group: UInt32) -> Bool {
        if caller.gid == group { return true }
        let largest = 65536  // NGROUPS_MAX, <linux/limits.h>
        return unsafe withUnsafeTemporaryAllocation(of: UInt32.self, capacity: largest) { groups in
            let count = unsafe min(supplementaryGroups(of: caller.pid, into: groups), largest)
            return unsafe groups[..<count].contains(group)
        }
    }

    /// Where the union or the layer is read-only nothing is tried.
    func checkWritable(_ layer: Layer) throws(Errno) {
        if policies.readOnly || layer.isReadOnly { throw .readOnlyFileSystem }
    }

    func checkWritable() throws(Errno) {
        if policies.readOnly { throw .readOnlyFileSystem }
    }
}
