#include "CLinux.h"
#include "result.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

int32_t slx_flock(int32_t fd, int32_t operation) { SLX_RESULT(int32_t, flock(fd, operation)); }

// l_pid must be 0 for the open file's locks.
static struct flock raw_lock(const struct slx_lock *lock) {
    return (struct flock){
        .l_type = (short)lock->type, .l_whence = SEEK_SET, .l_start = lock->start, .l_len = lock->length};
}

int32_t slx_lock_get(int32_t fd, struct slx_lock *lock) {
    struct flock raw = raw_lock(lock);
    if (fcntl(fd, F_OFD_GETLK, &raw) < 0) return -errno;
    *lock = (struct slx_lock){
        .start = raw.l_start, .length = raw.l_len, .type = raw.l_type, .pid = raw.l_pid};
    return 0;
}

int32_t slx_lock_set(int32_t fd, const struct slx_lock *lock, int32_t wait) {
    struct flock raw = raw_lock(lock);
    SLX_RESULT(int32_t, fcntl(fd, wait ? F_OFD_SETLKW : F_OFD_SETLK, &raw));
}
