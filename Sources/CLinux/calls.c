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

/// The calls that make a name and do nothing else. open(2) isn't one.
static int makes_name(long call) {
    switch (call) {
#ifdef SYS_mkdir
    case SYS_mkdir:
    case SYS_mknod:
    case SYS_symlink:
    case SYS_link:
#endif
    case SYS_mkdirat:
    case SYS_mknodat:
    case SYS_symlinkat:
    case SYS_linkat: return 1;
    default: return 0;
    }
}

/// F_OFD_SETLKW of <asm-generic/fcntl.h>.
enum { WAIT_FOR_OPEN_FILE_LOCK = 38 };

/// A system call, and those of its arguments that anybody asks for.
struct call {
    long number;
    unsigned long second;
    unsigned long third;
};

/// The one that the thread is in. 0: /proc doesn't tell.
static int call_of(int32_t thread, struct call *call) {
    char path[64], text[256];
    snprintf(path, sizeof path, "/proc/%d/syscall", thread);
    int file = open(path, O_RDONLY | O_CLOEXEC);
    if (file < 0) return 0;
    ssize_t count = read(file, text, sizeof text - 1);
    close(file);
    if (count <= 0) return 0;
    text[count] = 0;
    unsigned long first;
    return sscanf(text, "%ld %lx %lx %lx", &call->number, &first, &call->second, &call->third) == 4;
}

int32_t slx_thread_removes_directory(int32_t thread) {
    struct call call;
    return call_of(thread, &call) && removes_directory(call.number, call.third);
}

int32_t slx_thread_makes_name(int32_t thread) {
    struct call call;
    return call_of(thread, &call) && makes_name(call.number);
}

int32_t slx_thread_waits_for_open_file_lock(int32_t thread) {
    struct call call;
    return call_of(thread, &call) && call.second == WAIT_FOR_OPEN_FILE_LOCK;
}
