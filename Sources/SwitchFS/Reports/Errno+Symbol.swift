import SystemPackage

extension Errno {
    /// The name that programmers know it by; the number where this table has none.
    var symbol: String {
        Self.symbols.first { $0.error == self }?.name ?? "errno \(rawValue)"
    }

    /// Those that a union's operations can give.
    private static let symbols: [(error: Errno, name: String)] = [
        (.notPermitted, "EPERM"), (.noSuchFileOrDirectory, "ENOENT"), (.permissionDenied, "EACCES"),
        (.resourceBusy, "EBUSY"), (.fileExists, "EEXIST"), (.improperLink, "EXDEV"),
        (.notDirectory, "ENOTDIR"), (.isDirectory, "EISDIR"), (.invalidArgument, "EINVAL"),
        (.tooManySymbolicLinkLevels, "ELOOP"), (.fileNameTooLong, "ENAMETOOLONG"),
        (.directoryNotEmpty, "ENOTEMPTY"), (.readOnlyFileSystem, "EROFS"), (.noSpace, "ENOSPC"),
        (.noFunction, "ENOSYS"), (.notSupportedOnSocket, "EOPNOTSUPP"), (.ioError, "EIO"),
        (.socketNotConnected, "ENOTCONN"), (.staleNFSFileHandle, "ESTALE"), (.noData, "ENODATA"),
        (.outOfRange, "ERANGE"), (.interrupted, "EINTR"), (.resourceTemporarilyUnavailable, "EAGAIN"),
        (.noSuchAddressOrDevice, "ENXIO"), (.diskQuotaExceeded, "EDQUOT"), (.badFileDescriptor, "EBADF"),
        (.tooManyLinks, "EMLINK"), (.argListTooLong, "E2BIG"), (.inappropriateIOCTLForDevice, "ENOTTY"),
    ]
}
