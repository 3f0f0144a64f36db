internal import CFuse3
internal import CFuseShims
internal import UnionCore

/// The index of all that the kernel can ask: each operation is a function of `Operations/`, in a file of the
/// same name as the engine's.
///
/// TMPFILE is not here, for libfuse 3.14 can't decode it; `Channel` calls its function.
/// What is missing is answered ENOSYS, after which the kernel does without: ACCESS, for it checks permissions
/// itself; BMAP; STATX, for GETATTR says all that it would.
func operationTable(locks: Bool) -> fuse_lowlevel_ops {
    var table = fuse_lowlevel_ops()
    unsafe table.`init` = unsafe initialize

    unsafe table.lookup = unsafe handleLookup
    unsafe table.forget = unsafe handleForget
    unsafe table.forget_multi = unsafe handleForgetMany
    unsafe table.getattr = unsafe handleGetAttributes
    unsafe table.setattr = unsafe handleSetAttributes
    unsafe table.readlink = unsafe handleReadLink
    unsafe table.statfs = unsafe handleFileSystemStatus

    unsafe table.mknod = unsafe handleMakeNode
    unsafe table.mkdir = unsafe handleMakeDirectory
    unsafe table.symlink = unsafe handleSymlink
    unsafe table.link = unsafe handleLink
    unsafe table.unlink = unsafe handleUnlink
    unsafe table.rmdir = unsafe handleRemoveDirectory
    unsafe table.rename = unsafe handleRename
    unsafe table.create = unsafe handleCreate

    unsafe table.open = unsafe handleOpen
    unsafe table.release = unsafe handleRelease
    unsafe table.flush = unsafe handleFlush
    unsafe table.read = unsafe handleRead
    unsafe table.write = unsafe handleWrite
    unsafe table.fsync = unsafe handleSynchronize
    unsafe table.fallocate = unsafe handleAllocate
    unsafe table.copy_file_range = unsafe handleCopyRange
    unsafe table.lseek = unsafe handleSeek
    unsafe table.ioctl = unsafe handleControl
    unsafe table.poll = unsafe handlePoll

    unsafe table.opendir = unsafe handleOpenDirectory
    unsafe table.readdir = unsafe handleReadDirectory
    unsafe table.readdirplus = unsafe handleReadDirectoryPlus
    unsafe table.releasedir = unsafe handleReleaseDirectory
    unsafe table.fsyncdir = unsafe handleSynchronizeDirectory

    unsafe table.getxattr = unsafe handleGetXattr
    unsafe table.setxattr = unsafe handleSetXattr
    unsafe table.listxattr = unsafe handleListXattrs
    unsafe table.removexattr = unsafe handleRemoveXattr

    // With these the kernel leaves locks to us; without, it keeps them itself.
    if locks {
        unsafe table.getlk = unsafe handleGetLock
        unsafe table.setlk = unsafe handleSetLock
        unsafe table.flock = unsafe handleFlock
    }
    return table
}

/// INIT, in the middle of libfuse's own work on it.
private func initialize(
    _ userdata: UnsafeMutableRawPointer?, _ connection: UnsafeMutablePointer<fuse_conn_info>?
) {
    guard let userdata = unsafe userdata, let connection = unsafe connection else { return }
    unsafe Unmanaged<Server>.fromOpaque(userdata)._withUnsafeGuaranteedRef { server in
        unsafe server.negotiation.complete(
            connection, keepsTargets: server.union.keepsTargets,
            keepsListings: server.union.keepsListings)
    }
}
