#include "CLinux.h"
#include "procpath.h"
#include "result.h"

#include <fcntl.h>
#include <linux/limits.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/xattr.h>
#include <unistd.h>

// The f-calls refuse O_PATH descriptors. The at-calls of Linux 6.13 take one as the directory of a name, but not as the object
// itself. In all other cases the way goes through /proc/self/fd, which takes several times as long. "/proc/self/fd/N" itself is
// a magic link, to be followed; what it leads to is never followed further.
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

/// Linux 6.13's system calls for what is asked at each look. Changes are rare.
enum { GETXATTRAT = 464, LISTXATTRAT = 465 };

/// struct xattr_args.
struct value {
    uint64_t bytes;
    uint32_t size;
    uint32_t flags;
};

/// Set once the kernel has said ENOSYS.
static atomic_bool lacks_at;

/// Whether the name is one below the descriptor, and an at-call can be tried.
static int can_use_at(const char *at) {
    return *at != 0 && !atomic_load_explicit(&lacks_at, memory_order_relaxed);
}

/// Whether the call's result counts. Old kernels have no such call (ENOSYS), and a filter that doesn't know it may say EPERM,
/// which the call itself says rarely: then the other way decides.
static int counts(long result) {
    if (result >= 0 || (errno != ENOSYS && errno != EPERM)) return 1;
    if (errno == ENOSYS) atomic_store_explicit(&lacks_at, 1, memory_order_relaxed);
    return 0;
}

int64_t slx_getxattr(int32_t fd, const char *at, const char *name, void *value, size_t size) {
    if (can_use_at(at)) {
        struct value arguments = {(uintptr_t)value, (uint32_t)size, 0};
        long result =
            syscall(GETXATTRAT, fd, at, AT_SYMLINK_NOFOLLOW, name, &arguments, sizeof arguments);
        if (counts(result)) SLX_RESULT(int64_t, result);
    }
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
    if (can_use_at(at)) {
        long result = syscall(LISTXATTRAT, fd, at, AT_SYMLINK_NOFOLLOW, list, size);
        if (counts(result)) SLX_RESULT(int64_t, result);
    }
    struct xattr_path path;
    int below = make_path(&path, fd, at);
    if (below < 0) return below;
    SLX_RESULT(int64_t, below ? llistxattr(path.bytes, list, size) : listxattr(path.bytes, list, size));
}
