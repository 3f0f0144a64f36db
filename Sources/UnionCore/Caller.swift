internal import LinuxSystem
internal import SystemPackage

// Everything that is opened or changed in a layer is opened or changed as the caller.

extension CallerIdentity {
    /// Runs a layer call with the caller's credentials, in one place for all operations.
    ///
    /// Groups and capabilities are dear to learn. On ordinary filesystems the kernel has already judged the
    /// request with the caller's true ones, so the call is first made without them, and again with them where
    /// it is refused. `exact` takes them from the start: where it acts by who makes it (files of pseudo
    /// filesystems), and where it would succeed without them but do less (sgid).
    func perform<R: ~Copyable>(
        exact: Bool = false, _ call: () throws(Errno) -> R
    ) throws(Errno) -> R {
        guard !exact else { return try CredentialScope.run(as: self, .exact, call) }
        do {
            return try CredentialScope.run(as: self, .judged, call)
        } catch {
            // Of root everything was taken that there is. The last two: room kept for a group or a capability.
            guard uid != 0,
                [.permissionDenied, .notPermitted, .noSpace, .diskQuotaExceeded].contains(error)
            else { throw error }
            return try CredentialScope.run(as: self, .exact, call)
        }
    }
}
