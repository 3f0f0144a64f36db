#include "CLinux.h"
#include "procpath.h"
#include "result.h"

#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { RESOLUTION_ATTEMPTS = 16 };

int32_t slx_openat2(int32_t directory, const char *path, uint64_t flags, uint64_t mode, uint64_t resolve) {
    struct open_how how = {.flags = flags, .mode = mode, .resolve = resolve};
    long fd = -1;
    for (int attempt = 0; attempt < RESOLUTION_ATTEMPTS; attempt++) {
        fd = syscall(SYS_openat2, directory, path, &how, sizeof how);
        if (fd >= 0) return (int32_t)fd;
        // A nonblocking open of a busy device says EAGAIN too, at the cost of some futile attempts.
        if (errno != EAGAIN) break;
    }
    return -errno;
}

int32_t slx_openat(int32_t directory, const char *path, int32_t flags, uint32_t mode) {
    SLX_RESULT(int32_t, openat(directory, path, flags | O_CLOEXEC, (mode_t)mode));
}

int32_t slx_reopen(int32_t fd, int32_t flags) {
    int32_t proc = slx_proc_fd();
    if (proc < 0) return proc;
    char number[SLX_PROC_PATH];
    slx_put_number(number, fd);
    SLX_RESULT(int32_t, openat(proc, number, flags | O_CLOEXEC));
}

int32_t slx_memory_file(void) { SLX_RESULT(int32_t, memfd_create("switchfs-locks", MFD_CLOEXEC)); }

void slx_close(int32_t fd) { close(fd); }

int32_t slx_dup(int32_t fd) { SLX_RESULT(int32_t, fcntl(fd, F_DUPFD_CLOEXEC, 0)); }

int32_t slx_get_flags(int32_t fd) { SLX_RESULT(int32_t, fcntl(fd, F_GETFL)); }

int32_t slx_set_flags(int32_t fd, int32_t flags) { SLX_RESULT(int32_t, fcntl(fd, F_SETFL, flags)); }
