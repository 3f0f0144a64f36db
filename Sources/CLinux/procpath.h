// Paths of descriptors below /proc/self/fd.
#ifndef SLX_PROCPATH_H
#define SLX_PROCPATH_H

#include <stdint.h>

/// Room for "/proc/self/fd/" and a number.
#define SLX_PROC_PATH 32

/// Writes the decimal number and a NUL; returns the NUL's address. snprintf would cost more than the call.
static inline char *slx_put_number(char *out, int32_t number) {
    char digits[12];
    int count = 0;
    uint32_t rest = number < 0 ? 0 : (uint32_t)number;
    do {
        digits[count++] = (char)('0' + rest % 10);
        rest /= 10;
    } while (rest != 0);
    while (count > 0) *out++ = digits[--count];
    *out = 0;
    return out;
}

/// Writes "/proc/self/fd/N"; returns the NUL's address.
static inline char *slx_put_proc_path(char *out, int32_t fd) {
    static const char prefix[] = "/proc/self/fd/";
    __builtin_memcpy(out, prefix, sizeof prefix - 1);
    return slx_put_number(out + sizeof prefix - 1, fd);
}

#endif
