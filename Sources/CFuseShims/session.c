#include "CFuseShims.h"

#include <unistd.h>

#include "../CFuse3/fuse3.h"
#include "hooks.h"

// From 3.17 on fuse_session_new and fuse_session_custom_io are macros or inline functions over versioned
// ones; their source form is the same at our FUSE_USE_VERSION, which is why they are called from C.

struct fuse_session *sfs_session_new(const void *operations, void *userdata, int32_t device) {
    char *arguments[] = {"switchfs", NULL};
    struct fuse_args args = FUSE_ARGS_INIT(1, arguments);
    const struct fuse_custom_io io = {.writev = sfs_hook_writev, .read = sfs_hook_read};
    const struct fuse_lowlevel_ops *table = operations;
    struct fuse_session *session = fuse_session_new(&args, table, sizeof *table, userdata);
    fuse_opt_free_args(&args);
    if (session == NULL) {
        close(device);
        return NULL;
    }
    if (fuse_session_custom_io(session, &io, device) != 0) {
        close(device);
        fuse_session_destroy(session);
        return NULL;
    }
    return session;
}

void sfs_session_destroy(struct fuse_session *session) { fuse_session_destroy(session); }

void sfs_session_process(struct fuse_session *session, void *request, size_t size) {
    struct fuse_buf buffer = {.size = size, .mem = request, .fd = -1};
    fuse_session_process_buf(session, &buffer);
}
