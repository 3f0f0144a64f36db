#include "CLinux.h"
#include "result.h"

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

_Static_assert(sizeof(pthread_t) <= sizeof(uint64_t), "a thread's handle fits");

// The pthread functions return a positive error number and leave errno alone.

int32_t slx_thread_start(
    uint64_t *thread, const char *name, size_t stack_size, void *(*body)(void *), void *context) {
    pthread_attr_t attributes;
    int error = pthread_attr_init(&attributes);
    if (error != 0) return -error;
    if (stack_size != 0) error = pthread_attr_setstacksize(&attributes, stack_size);
    pthread_t handle;
    if (error == 0) error = pthread_create(&handle, &attributes, body, context);
    pthread_attr_destroy(&attributes);
    if (error != 0) return -error;
    char short_name[16] = {0};  // the kernel's TASK_COMM_LEN
    strncpy(short_name, name, sizeof short_name - 1);
    pthread_setname_np(handle, short_name);  // a name is a nicety
    *thread = (uint64_t)handle;
    return 0;
}

int32_t slx_thread_join(uint64_t thread) { return -pthread_join((pthread_t)thread, NULL); }

int32_t slx_thread_detach(uint64_t thread) { return -pthread_detach((pthread_t)thread); }

int32_t slx_thread_signal(uint64_t thread, int32_t signal) { return -pthread_kill((pthread_t)thread, signal); }

int32_t slx_thread_set_slice(uint64_t nanoseconds) {
    // struct sched_attr of <linux/sched/types.h> as Linux 3.14 had it, which glibc doesn't define everywhere.
    struct {
        uint32_t size, policy;
        uint64_t flags;
        int32_t nice;
        uint32_t priority;
        uint64_t runtime, deadline, period;
    } attributes = {0};
    if (syscall(SYS_sched_getattr, 0, &attributes, sizeof attributes, 0) != 0) return -errno;
    attributes.runtime = nanoseconds;
    SLX_RESULT(int32_t, syscall(SYS_sched_setattr, 0, &attributes, 0));
}

int32_t slx_gettid(void) { return (int32_t)syscall(SYS_gettid); }

int32_t slx_tgkill(int32_t thread, int32_t signal) {
    SLX_RESULT(int32_t, syscall(SYS_tgkill, getpid(), thread, signal));
}

/// CLOSE_RANGE_UNSHARE of <linux/close_range.h>.
enum { CLOSE_RANGE = 436, OWN_TABLE = 2 };

int32_t slx_own_working_directory(void) { SLX_RESULT(int32_t, unshare(CLONE_FS)); }

int32_t slx_fchdir(int32_t fd) { SLX_RESULT(int32_t, fchdir(fd)); }

int32_t slx_leave_open_files(void) { SLX_RESULT(int32_t, syscall(CLOSE_RANGE, 0, ~0u, OWN_TABLE)); }
