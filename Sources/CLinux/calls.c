#include "CLinux.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/syscall.h>
#include <unistd.h>

/// faccessat2(2), which older headers lack.
enum { FACCESSAT2 = 439 };

/// Whether the arguments are such.
static int removes_directory(long call, unsigned long third) {
#ifdef SYS_rmdir
    if (call == SYS_rmdir) return 1;
#endif
    if (call == SYS_unlinkat) return (third & AT_REMOVEDIR) != 0;
    return (call == SYS_faccessat || call == FACCESSAT2) && third == W_OK;
}

int32_t slx_thread_removes_directory(int32_t thread) {
    char path[64], text[256];
    snprintf(path, sizeof path, "/proc/%d/syscall", thread);
    int file = open(path, O_RDONLY | O_CLOEXEC);
    if (file < 0) return 0;
    ssize_t count = read(file, text, sizeof text - 1);
    close(file);
    if (count <= 0) return 0;
    text[count] = 0;
    long call;
    unsigned long first, second, third;
    if (sscanf(text, "%ld %lx %lx %lx", &call, &first, &second, &third) != 4) return 0;
    return removes_directory(call, third);
}
