#include "CLinux.h"
#include "procpath.h"
#include "result.h"

#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>

enum { EVENTS_AT_ONCE = 64 };

int32_t slx_epoll_create(void) { SLX_RESULT(int32_t, epoll_create1(EPOLL_CLOEXEC)); }

int32_t slx_epoll_control(int32_t epoll, int32_t operation, int32_t fd, uint32_t events, uint64_t token) {
    struct epoll_event event = {.events = events, .data.u64 = token};
    SLX_RESULT(int32_t, epoll_ctl(epoll, operation, fd, &event));
}

int32_t slx_epoll_wait(int32_t epoll, struct slx_event *events, int32_t count, int32_t timeout) {
    struct epoll_event raw[EVENTS_AT_ONCE];
    if (count > EVENTS_AT_ONCE) count = EVENTS_AT_ONCE;
    int ready = epoll_wait(epoll, raw, count, timeout);
    if (ready < 0) return -errno;
    // The kernel's struct is packed on some machines, which Swift can't import.
    for (int i = 0; i < ready; i++)
        events[i] = (struct slx_event){.token = raw[i].data.u64, .events = raw[i].events};
    return ready;
}

int32_t slx_eventfd(void) { SLX_RESULT(int32_t, eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)); }

int32_t slx_inotify_create(void) { SLX_RESULT(int32_t, inotify_init1(IN_CLOEXEC | IN_NONBLOCK)); }

int32_t slx_inotify_add(int32_t inotify, int32_t fd, uint32_t mask) {
    char path[SLX_PROC_PATH];
    slx_put_proc_path(path, fd);
    SLX_RESULT(int32_t, inotify_add_watch(inotify, path, mask));
}

int32_t slx_inotify_add_here(int32_t inotify, const char *name, uint32_t mask) {
    SLX_RESULT(int32_t, inotify_add_watch(inotify, name, mask));
}

int32_t slx_inotify_remove(int32_t inotify, int32_t watch) {
    SLX_RESULT(int32_t, inotify_rm_watch(inotify, watch));
}
