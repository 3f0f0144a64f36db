#include "CLinux.h"
#include "procpath.h"
#include "result.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

int32_t slx_chmod_fd(int32_t fd, uint32_t mode) {
    int32_t proc = slx_proc_fd();
    if (proc < 0) return proc;
    char number[SLX_PROC_PATH];
    slx_put_number(number, fd);
    SLX_RESULT(int32_t, syscall(SYS_fchmodat, proc, number, mode));
}

int32_t slx_chown_fd(int32_t fd, uint32_t uid, uint32_t gid) {
    SLX_RESULT(int32_t, fchownat(fd, "", uid, gid, AT_EMPTY_PATH));
}

static struct timespec change(struct slx_time_change time) {
    switch (time.how) {
    case 1: return (struct timespec){.tv_nsec = UTIME_NOW};
    case 2: return (struct timespec){.tv_nsec = UTIME_OMIT};
    default: return (struct timespec){.tv_sec = time.seconds, .tv_nsec = time.nanoseconds};
    }
}

int32_t slx_utimens_fd(int32_t fd, struct slx_time_change access, struct slx_time_change modification) {
    struct timespec times[2] = {change(access), change(modification)};
    SLX_RESULT(int32_t, utimensat(fd, "", times, AT_EMPTY_PATH));
}

int32_t slx_ftruncate(int32_t fd, int64_t size) { SLX_RESULT(int32_t, ftruncate(fd, size)); }

int32_t slx_truncate_fd(int32_t fd, int64_t size) {
    char path[SLX_PROC_PATH];
    slx_put_proc_path(path, fd);
    SLX_RESULT(int32_t, truncate(path, size));
}
