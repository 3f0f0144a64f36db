#include "CFuseShims.h"

#include <errno.h>
#include <linux/fuse.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/uio.h>
#include <unistd.h>

#include "hooks.h"

_Static_assert(sizeof(struct sfs_request_header) == sizeof(struct fuse_in_header), "fuse_in_header");
_Static_assert(sizeof(struct sfs_init_request) == sizeof(struct fuse_init_in), "fuse_init_in");
_Static_assert(sizeof(struct sfs_create_request) == sizeof(struct fuse_create_in), "fuse_create_in");
_Static_assert(sizeof(struct sfs_write_request) == sizeof(struct fuse_write_in), "fuse_write_in");
_Static_assert(sizeof(struct sfs_init_reply) == sizeof(struct fuse_init_out), "fuse_init_out");
_Static_assert(sizeof(struct sfs_entry_reply) == sizeof(struct fuse_entry_out), "fuse_entry_out");
_Static_assert(sizeof(struct sfs_listed_name) == FUSE_NAME_OFFSET, "fuse_dirent");
_Static_assert(sizeof(struct sfs_open_reply) == sizeof(struct fuse_open_out), "fuse_open_out");
_Static_assert(SFS_DEVICE_CLONE == _IOR(229, 0, uint32_t), "FUSE_DEV_IOC_CLONE");
_Static_assert(SFS_DEVICE_BACKING_OPEN == _IOW(229, 1, struct sfs_backing_map), "BACKING_OPEN");
_Static_assert(SFS_DEVICE_BACKING_CLOSE == _IOW(229, 2, uint32_t), "BACKING_CLOSE");

static _Thread_local struct {
    void *context;
    /// -1 on threads that serve no requests.
    int32_t device;
    int32_t last_error;
    uint64_t init_flags;
    uint32_t init_stack_depth;
    int init_pending;
} thread = {.device = -1};

void sfs_thread_begin(void *context, int32_t device) {
    thread.context = context;
    thread.device = device;
}

int32_t sfs_thread_use(int32_t device) {
    int32_t before = thread.device;
    thread.device = device;
    return before;
}

void *sfs_thread_context(void) { return thread.context; }

int32_t sfs_take_error(void) {
    int32_t error = thread.last_error;
    thread.last_error = 0;
    return error;
}

void sfs_complete_init(uint64_t flags, uint32_t max_stack_depth) {
    thread.init_flags = flags;
    thread.init_stack_depth = max_stack_depth;
    thread.init_pending = 1;
}

/// Adds to the reply to INIT what libfuse 3.14 has no names for. An error's reply has no body.
static void complete_init(struct iovec *iov, int count) {
    thread.init_pending = 0;
    if (count < 2 || iov[1].iov_len != sizeof(struct sfs_init_reply)) return;
    struct sfs_init_reply *reply = iov[1].iov_base;
    reply->flags |= (uint32_t)thread.init_flags;
    reply->flags2 |= (uint32_t)(thread.init_flags >> 32);
    if (thread.init_flags & SFS_INIT_PASSTHROUGH) reply->max_stack_depth = thread.init_stack_depth;
}

ssize_t sfs_hook_writev(int fd, struct iovec *iov, int count, void *userdata) {
    (void)userdata;
    if (thread.init_pending) complete_init(iov, count);
    const struct sfs_reply_header *header = iov[0].iov_base;
    thread.last_error = -header->error;
    return writev(thread.device >= 0 ? thread.device : fd, iov, count);
}

ssize_t sfs_hook_read(int fd, void *buffer, size_t size, void *userdata) {
    (void)userdata;
    return read(thread.device >= 0 ? thread.device : fd, buffer, size);
}

int32_t sfs_reply(uint64_t unique, int32_t error, const void *body, size_t size) {
    struct sfs_reply_header header = {
        .length = (uint32_t)(sizeof header + size), .error = -error, .unique = unique};
    struct iovec iov[] = {
        {.iov_base = &header, .iov_len = sizeof header},
        {.iov_base = (void *)body, .iov_len = size},
    };
    ssize_t written = sfs_hook_writev(-1, iov, size == 0 ? 1 : 2, NULL);
    return written < 0 ? -errno : 0;
}
