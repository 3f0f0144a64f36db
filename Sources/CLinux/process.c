#include "CLinux.h"
#include "result.h"

#include <fcntl.h>
#include <sched.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <unistd.h>

int32_t slx_fork(void) {
    pid_t pid = fork();
    if (pid < 0) return -errno;
    if (pid == 0) slx_proc_fd_forget();
    return pid;
}

int32_t slx_getpid(void) { return getpid(); }

int32_t slx_setsid(void) { SLX_RESULT(int32_t, setsid()); }

int32_t slx_chdir(const char *path) { SLX_RESULT(int32_t, chdir(path)); }

int32_t slx_close_standard_streams(void) {
    int null = open("/dev/null", O_RDWR | O_CLOEXEC);
    if (null < 0) return -errno;
    int32_t result = 0;
    for (int stream = 0; stream <= 2 && result == 0; stream++)
        if (dup2(null, stream) < 0) result = -errno;
    if (null > 2) close(null);
    return result;
}

int32_t slx_pipe(int32_t *reading, int32_t *writing) {
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) < 0) return -errno;
    *reading = ends[0];
    *writing = ends[1];
    return 0;
}

int32_t slx_raise_open_files(uint64_t *soft, uint64_t *hard) {
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) < 0) return -errno;
    limit.rlim_cur = limit.rlim_max;
    if (setrlimit(RLIMIT_NOFILE, &limit) < 0) return -errno;
    *soft = limit.rlim_cur;
    *hard = limit.rlim_max;
    return 0;
}

int64_t slx_random(void *buffer, size_t size) { SLX_RESULT(int64_t, getrandom(buffer, size, 0)); }

int32_t slx_processor_count(void) {
    cpu_set_t set;
    return sched_getaffinity(0, sizeof set, &set) == 0 ? CPU_COUNT(&set) : 1;
}
