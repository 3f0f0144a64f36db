#include "CLinux.h"
#include "procpath.h"
#include "result.h"

#include <linux/limits.h>
#include <string.h>
#include <sys/xattr.h>

// The f-variants refuse O_PATH descriptors, and the at-variants are Linux 6.13's: so paths through /proc.
// "/proc/self/fd/N" itself is a magic link, to be followed; what it leads to is never followed further.
struct xattr_path {
    char bytes[SLX_PROC_PATH + PATH_MAX];
};

/// 1 for a path below the descriptor, 0 for the descriptor's own, or -ENAMETOOLONG.
static int make_path(struct xattr_path *path, int32_t fd, const char *at) {
    char *end = slx_put_proc_path(path->bytes, fd);
    size_t length = strlen(at);
    if (length == 0) return 0;
    *end++ = '/';
    if ((size_t)(end - path->bytes) + length >= PATH_MAX) return -ENAMETOOLONG;
    memcpy(end, at, length + 1);
    return 1;
}

int64_t slx_getxattr(int32_t fd, const char *at, const char *name, void *value, size_t size) {
    struct xattr_path path;
    int below = make_path(&path, fd, at);
    if (below < 0) return below;
    SLX_RESULT(int64_t, below ? lgetxattr(path.bytes, name, value, size)
                              : getxattr(path.bytes, name, value, size));
}

int32_t slx_setxattr(
    int32_t fd, const char *at, const char *name, const void *value, size_t size, int32_t flags) {
    struct xattr_path path;
    int below = make_path(&path, fd, at);
    if (below < 0) return below;
    SLX_RESULT(int32_t, below ? lsetxattr(path.bytes, name, value, size, flags)
                              : setxattr(path.bytes, name, value, size, flags));
}

int32_t slx_removexattr(int32_t fd, const char *at, const char *name) {
    struct xattr_path path;
    int below = make_path(&path, fd, at);
    if (below < 0) return below;
    SLX_RESULT(int32_t, below ? lremovexattr(path.bytes, name) : removexattr(path.bytes, name));
}

int64_t slx_listxattr(int32_t fd, const char *at, void *list, size_t size) {
    struct xattr_path path;
    int below = make_path(&path, fd, at);
    if (below < 0) return below;
    SLX_RESULT(int64_t, below ? llistxattr(path.bytes, list, size) : listxattr(path.bytes, list, size));
}
