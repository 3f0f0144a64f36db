#include "CLinux.h"
#include "result.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
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

int32_t slx_gettid(void) { return (int32_t)syscall(SYS_gettid); }

int32_t slx_tgkill(int32_t thread, int32_t signal) {
    SLX_RESULT(int32_t, syscall(SYS_tgkill, getpid(), thread, signal));
}

// --- where and when the calling thread runs -----------------------------------------------------------

int32_t slx_thread_policy_is_usual(void) { return sched_getscheduler(0) == SCHED_OTHER; }

int32_t slx_thread_set_idle(int32_t on) {
    struct sched_param none = {0};
    SLX_RESULT(int32_t, sched_setscheduler(0, on ? SCHED_IDLE : SCHED_OTHER, &none));
}

/// What the thread might run on before it was pinned.
static _Thread_local cpu_set_t usual;
static _Thread_local int is_pinned;

int32_t slx_thread_pin(int32_t processor) {
    if (!is_pinned && sched_getaffinity(0, sizeof usual, &usual) != 0) return -errno;
    if (processor < 0 || processor >= CPU_SETSIZE || !CPU_ISSET(processor, &usual)) return -EINVAL;
    cpu_set_t one;
    CPU_ZERO(&one);
    CPU_SET(processor, &one);
    if (sched_setaffinity(0, sizeof one, &one) != 0) return -errno;
    is_pinned = 1;
    return 0;
}

void slx_thread_unpin(void) {
    if (is_pinned && sched_setaffinity(0, sizeof usual, &usual) == 0) is_pinned = 0;
}

int32_t slx_processor_of(int32_t thread) {
    char path[32];
    char text[1024];
    snprintf(path, sizeof path, "/proc/%d/stat", thread);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) return -errno;
    ssize_t length = read(fd, text, sizeof text - 1);
    close(fd);
    if (length <= 0) return -EIO;
    text[length] = 0;
    // The name, in parentheses, may hold anything; the 37th field behind it is the processor: proc(5).
    char *field = strrchr(text, ')');
    for (int number = 0; field != NULL && number < 37; number++) field = strchr(field + 1, ' ');
    return field == NULL ? -EIO : atoi(field + 1);
}
