#include "CLinux.h"
#include "procpath.h"
#include "result.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

int32_t slx_mknodat(int32_t directory, const char *name, uint32_t mode, uint64_t device) {
    SLX_RESULT(int32_t, mknodat(directory, name, (mode_t)mode, (dev_t)device));
}

int32_t slx_mkdirat(int32_t directory, const char *name, uint32_t mode) {
    SLX_RESULT(int32_t, mkdirat(directory, name, (mode_t)mode));
}

int32_t slx_symlinkat(const char *target, int32_t directory, const char *name) {
    SLX_RESULT(int32_t, symlinkat(target, directory, name));
}

int32_t slx_link_fd(int32_t fd, int32_t directory, const char *name) {
    int32_t proc = slx_proc_fd();
    if (proc < 0) return proc;
    char number[SLX_PROC_PATH];
    slx_put_number(number, fd);
    // AT_EMPTY_PATH would need CAP_DAC_READ_SEARCH, which a caller's credentials lack.
    SLX_RESULT(int32_t, linkat(proc, number, directory, name, AT_SYMLINK_FOLLOW));
}

int32_t slx_unlinkat(int32_t directory, const char *name, int32_t flags) {
    SLX_RESULT(int32_t, unlinkat(directory, name, flags));
}

int32_t slx_renameat2(
    int32_t from, const char *from_name, int32_t to, const char *to_name, uint32_t flags) {
    SLX_RESULT(int32_t, syscall(SYS_renameat2, from, from_name, to, to_name, flags));
}

int64_t slx_readlinkat(int32_t directory, const char *name, void *buffer, size_t size) {
    SLX_RESULT(int64_t, readlinkat(directory, name, buffer, size));
}
