#include "CLinux.h"
#include "result.h"

#include <pthread.h>
#include <signal.h>
#include <time.h>

static sigset_t raw_set(uint64_t set) {
    sigset_t raw;
    sigemptyset(&raw);
    for (int number = 1; number <= 64; number++)
        if (set >> (number - 1) & 1) sigaddset(&raw, number);
    return raw;
}

int32_t slx_signal_block(uint64_t set, int32_t block) {
    sigset_t raw = raw_set(set);
    return -pthread_sigmask(block ? SIG_BLOCK : SIG_UNBLOCK, &raw, NULL);
}

int32_t slx_signal_wait(uint64_t set, int32_t timeout) {
    sigset_t raw = raw_set(set);
    struct timespec limit = {.tv_sec = timeout / 1000, .tv_nsec = (timeout % 1000) * 1000000L};
    SLX_RESULT(int32_t, timeout < 0 ? sigwaitinfo(&raw, NULL) : sigtimedwait(&raw, NULL, &limit));
}

static void interrupt(int signal) { (void)signal; }

static int32_t install(int32_t signal, void (*handler)(int)) {
    struct sigaction action = {.sa_handler = handler};
    sigemptyset(&action.sa_mask);
    SLX_RESULT(int32_t, sigaction(signal, &action, NULL));
}

int32_t slx_signal_interrupts(int32_t signal) { return install(signal, interrupt); }

int32_t slx_signal_ignore(int32_t signal) { return install(signal, SIG_IGN); }
