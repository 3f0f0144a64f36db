// How every shim answers: the value, or the negative errno.
#ifndef SLX_RESULT_H
#define SLX_RESULT_H

#include <errno.h>

#define SLX_RESULT(type, call)                  \
    do {                                        \
        long slx_value = (long)(call);          \
        return (type)(slx_value < 0 ? -errno : slx_value); \
    } while (0)

#endif
