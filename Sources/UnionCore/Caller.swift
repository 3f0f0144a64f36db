internal import LinuxSystem
internal import SystemPackage

// The union opens and changes everything in a layer as the caller.

extension CallerIdentity {
    /// Runs a layer call with the caller's credentials, in one place for all operations.
    ///
    /// Groups and capabilities are expensive to learn. On ordinary filesystems the kernel has already judged
    /// the request with the caller's true ones. So the call is first made without them, and made again with
    /// them if it is refused. `exact` takes them from the start. That is for calls that act by the process
    /// that makes them (files of pseudo filesystems), and for calls that would succeed without them but do
    /// less (sgid).
    func perform<R: ~Copyable>(
        exact: Bool = false, _ call: () throws(Errno) -> R
    ) throws(Errno) -> R {
        guard !exact else { return try CredentialScope.run(as: self, .exact, call) }
        do {
            return try CredentialScope.run(as: self, .judged, call)
        } catch {
            // Root already had all that there is. The last two errors: room may be kept for a group or a
            // capability.
            guard uid != 0,
                [.permissionDenied, .notPermitted, .noSpace, .diskQuotaExceeded].contains(error)
            else { throw error }
            return try CredentialScope.run(as: self, .exact, call)
        }
    }
}
