// The device as libfuse sees it: its custom I/O functions, in device.c.
#pragma once

#include <sys/types.h>
#include <sys/uio.h>

ssize_t sfs_hook_writev(int fd, struct iovec *iov, int count, void *userdata);
ssize_t sfs_hook_read(int fd, void *buffer, size_t size, void *userdata);
