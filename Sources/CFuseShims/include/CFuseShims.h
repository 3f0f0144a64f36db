// What libfuse's headers hide behind macros, and the part of the kernel's FUSE interface that is newer than
// libfuse 3.14 and than the kernel headers of Linux 6.1.
//
// This header includes no system header but the two below: whatever it included would become part of this
// module, and clash with Glibc's own and with CFuse3's.
#ifndef CFUSESHIMS_H
#define CFUSESHIMS_H

#include <stddef.h>
#include <stdint.h>

#include "kernel_abi.h"

#pragma clang assume_nonnull begin

// --- session.c ----------------------------------------------------------------------------------------

struct fuse_session;

/// A session on a device that is open and mounted already: fuse_session_new(3) and fuse_session_custom_io(3).
/// `operations` is a `struct fuse_lowlevel_ops`, which is copied. The session owns `device` from here on,
/// also when it fails: NULL.
struct fuse_session *_Nullable sfs_session_new(
    const void *operations, void *_Nullable userdata, int32_t device);
/// Closes the device, too.
void sfs_session_destroy(struct fuse_session *session);
/// Hands a raw request to libfuse, which calls the operation on this thread.
void sfs_session_process(struct fuse_session *session, void *request, size_t size);

// --- negotiation.c ------------------------------------------------------------------------------------

/// What of libfuse's choices at INIT depends on the mount.
struct sfs_features {
    /// Names may be kept, and so may links' targets.
    int32_t keeps_targets;
    /// Everything may be kept, so that telling of files while listing them pays.
    int32_t keeps_listings;
    uint32_t max_write;
    uint32_t max_background;
};
/// Fills in a `struct fuse_conn_info` during the operation `init`.
void sfs_negotiate(void *connection, const struct sfs_features *features);

// --- device.c: each thread's own ----------------------------------------------------------------------

/// What the operations that libfuse calls on this thread find again by `sfs_thread_context`, and the device
/// that the thread reads requests from: the kernel takes a reply only on the one its request came in on.
void sfs_thread_begin(void *_Nullable context, int32_t device);
void *_Nullable sfs_thread_context(void);
/// Replies of this thread go out on `device` from here on; returns where they went before, -1 for nowhere.
int32_t sfs_thread_use(int32_t device);

/// The errno (0: none) in the last reply that this thread sent since it was last asked for.
int32_t sfs_take_error(void);

/// The next reply is the one to INIT: adds `flags` to it, and the stack depth.
void sfs_complete_init(uint64_t flags, uint32_t max_stack_depth);

/// Answers a request that libfuse can't decode, on this thread's device. 0, or a negative errno: -ENOENT
/// when the caller is gone.
int32_t sfs_reply(uint64_t unique, int32_t error, const void *_Nullable body, size_t size);

#pragma clang assume_nonnull end

#endif
