#include "CLinux.h"
#include "result.h"

#include <fcntl.h>
#include <linux/fs.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

int64_t slx_read(int32_t fd, void *buffer, size_t size) { SLX_RESULT(int64_t, read(fd, buffer, size)); }

int64_t slx_write(int32_t fd, const void *buffer, size_t size) {
    SLX_RESULT(int64_t, write(fd, buffer, size));
}

int32_t slx_set_nonblocking(int32_t fd, int32_t on) {
    int value = on;
    SLX_RESULT(int32_t, ioctl(fd, FIONBIO, &value));
}

int64_t slx_pread(int32_t fd, void *buffer, size_t size, int64_t offset) {
    SLX_RESULT(int64_t, pread(fd, buffer, size, offset));
}

int64_t slx_pwrite(int32_t fd, const void *buffer, size_t size, int64_t offset) {
    SLX_RESULT(int64_t, pwrite(fd, buffer, size, offset));
}

int64_t slx_append(int32_t fd, const void *buffer, size_t size) {
    struct iovec piece = {.iov_base = (void *)buffer, .iov_len = size};
    SLX_RESULT(int64_t, pwritev2(fd, &piece, 1, 0, RWF_APPEND));
}

int32_t slx_fsync(int32_t fd, int32_t data_only) {
    SLX_RESULT(int32_t, data_only ? fdatasync(fd) : fsync(fd));
}


int32_t slx_fallocate(int32_t fd, int32_t mode, int64_t offset, int64_t length) {
    SLX_RESULT(int32_t, fallocate(fd, mode, offset, length));
}

int64_t slx_lseek(int32_t fd, int64_t offset, int32_t whence) {
    SLX_RESULT(int64_t, lseek(fd, offset, whence));
}

int64_t slx_copy_file_range(
    int32_t from, int64_t from_offset, int32_t to, int64_t to_offset, size_t length) {
    SLX_RESULT(int64_t, copy_file_range(from, &from_offset, to, &to_offset, length, 0));
}

int32_t slx_ioctl(int32_t fd, uint32_t command, void *argument) {
    SLX_RESULT(int32_t, ioctl(fd, command, argument));
}

int32_t slx_distinguishes_case(int32_t fd) {
    int flags = 0;
    return ioctl(fd, FS_IOC_GETFLAGS, &flags) == 0 && !(flags & FS_CASEFOLD_FL);
}

int32_t slx_ioctl_value(int32_t fd, uint32_t command, uint64_t argument) {
    SLX_RESULT(int32_t, ioctl(fd, command, argument));
}

int32_t slx_poll(int32_t fd, int16_t events, int32_t timeout) {
    struct pollfd polled = {.fd = fd, .events = events};
    int count = poll(&polled, 1, timeout);
    if (count < 0) return -errno;
    return count == 0 ? 0 : (uint16_t)polled.revents;
}

int64_t slx_getdents64(int32_t fd, void *buffer, size_t size) {
    SLX_RESULT(int64_t, syscall(SYS_getdents64, fd, buffer, size));
}
