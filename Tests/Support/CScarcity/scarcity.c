#include "CScarcity.h"

#include <dlfcn.h>
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>

static atomic_int threads = -1;
static atomic_bool unshare_fails;

void scarce_threads(int count) { atomic_store(&threads, count); }

void scarce_unshare(int fails) { atomic_store(&unshare_fails, fails != 0); }

static int take_thread(void) {
    int left = atomic_load(&threads);
    while (left > 0 && !atomic_compare_exchange_weak(&threads, &left, left - 1)) {}
    return left != 0;
}

int pthread_create(
    pthread_t *restrict thread, const pthread_attr_t *restrict attributes, void *(*body)(void *),
    void *restrict context) {
    if (!take_thread()) return EAGAIN;
    int (*real)(pthread_t *, const pthread_attr_t *, void *(*)(void *), void *) =
        (int (*)(pthread_t *, const pthread_attr_t *, void *(*)(void *), void *))dlsym(
            RTLD_NEXT, "pthread_create");
    return real(thread, attributes, body, context);
}

int unshare(int flags) {
    if (atomic_load(&unshare_fails)) {
        errno = EPERM;
        return -1;
    }
    int (*real)(int) = (int (*)(int))dlsym(RTLD_NEXT, "unshare");
    return real(flags);
}
