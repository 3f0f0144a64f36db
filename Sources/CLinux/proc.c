#include "CLinux.h"
#include "result.h"

#include <fcntl.h>
#include <stdatomic.h>
#include <unistd.h>

static _Atomic int32_t held = -1;

int32_t slx_proc_fd(void) {
    int32_t fd = atomic_load_explicit(&held, memory_order_acquire);
    if (fd >= 0) return fd;
    fd = open("/proc/self/fd", O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0) return -errno;
    int32_t expected = -1;
    if (atomic_compare_exchange_strong(&held, &expected, fd)) return fd;
    close(fd);
    return expected;
}

void slx_proc_fd_forget(void) {
    int32_t fd = atomic_exchange(&held, -1);
    if (fd >= 0) close(fd);
}
