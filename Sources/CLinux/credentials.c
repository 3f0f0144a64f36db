#include "CLinux.h"
#include "result.h"

#include <linux/capability.h>
#include <linux/securebits.h>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

// Where both exist, the plain numbers are those of the 16-bit ids.
#ifdef SYS_setresuid32
#define NUMBER_SETRESUID SYS_setresuid32
#define NUMBER_SETRESGID SYS_setresgid32
#define NUMBER_GETGROUPS SYS_getgroups32
#define NUMBER_SETGROUPS SYS_setgroups32
#else
#define NUMBER_SETRESUID SYS_setresuid
#define NUMBER_SETRESGID SYS_setresgid
#define NUMBER_GETGROUPS SYS_getgroups
#define NUMBER_SETGROUPS SYS_setgroups
#endif

uint32_t slx_geteuid(void) { return geteuid(); }

uint32_t slx_getegid(void) { return getegid(); }

int32_t slx_set_effective_uid(uint32_t uid) { SLX_RESULT(int32_t, syscall(NUMBER_SETRESUID, -1, uid, -1)); }

int32_t slx_set_effective_gid(uint32_t gid) { SLX_RESULT(int32_t, syscall(NUMBER_SETRESGID, -1, gid, -1)); }

int32_t slx_getgroups(uint32_t *groups, int32_t count) {
    SLX_RESULT(int32_t, syscall(NUMBER_GETGROUPS, count, groups));
}

int32_t slx_setgroups(const uint32_t *groups, int32_t count) {
    SLX_RESULT(int32_t, syscall(NUMBER_SETGROUPS, count, groups));
}

uint32_t slx_umask(uint32_t mask) { return umask((mode_t)mask); }

int32_t slx_unshare_fs(void) { SLX_RESULT(int32_t, unshare(CLONE_FS)); }

int32_t slx_capabilities(int32_t thread, struct slx_capabilities *capabilities) {
    struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3, .pid = thread};
    struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3] = {{0}};
    if (syscall(SYS_capget, &header, data) < 0) return -errno;
    capabilities->effective = (uint64_t)data[1].effective << 32 | data[0].effective;
    capabilities->permitted = (uint64_t)data[1].permitted << 32 | data[0].permitted;
    capabilities->inheritable = (uint64_t)data[1].inheritable << 32 | data[0].inheritable;
    return 0;
}

int32_t slx_set_capabilities(const struct slx_capabilities *capabilities) {
    struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
    struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3];
    for (int half = 0; half < 2; half++) {
        data[half].effective = (uint32_t)(capabilities->effective >> 32 * half);
        data[half].permitted = (uint32_t)(capabilities->permitted >> 32 * half);
        data[half].inheritable = (uint32_t)(capabilities->inheritable >> 32 * half);
    }
    SLX_RESULT(int32_t, syscall(SYS_capset, &header, data));
}

int32_t slx_keeps_capabilities(void) {
    int bits = prctl(PR_GET_SECUREBITS);
    return bits >= 0 && (bits & SECBIT_NO_SETUID_FIXUP) != 0;
}
