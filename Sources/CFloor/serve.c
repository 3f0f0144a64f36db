#define _GNU_SOURCE
#include <CFuseShims.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/mount.h>
#include <unistd.h>

#include "CFloor.h"
#include "operations.h"
#include "readers.h"

/// The device of the new mount; below 0 is an errno.
static int mount_on(const char *mount_point) {
    int device = open("/dev/fuse", O_RDWR | O_CLOEXEC);
    if (device < 0) return -errno;
    char options[160];
    snprintf(
        options, sizeof options, "fd=%d,rootmode=40000,user_id=%u,group_id=%u,default_permissions,allow_other",
        device, getuid(), getgid());
    if (mount("floor", mount_point, "fuse.floor", MS_NOSUID | MS_NODEV, options) == 0) return device;
    int error = errno;
    close(device);
    return -error;
}

int32_t floor_serve(const char *mount_point) {
    int device = mount_on(mount_point);
    if (device < 0) return -device;
    struct fuse_session *session = sfs_session_new(&floor_operations, NULL, dup(device));
    int error = session == NULL ? EIO : serve_init(session, device);
    if (error == 0) error = serve_requests(session, device);
    // The mount's end was the session's; the rest ends with the process.
    if (error != 0) umount2(mount_point, MNT_DETACH);
    return error;
}

const char *floor_library_version(void) { return fuse_pkgversion(); }
