#include "CLinux.h"
#include "result.h"

#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

/// An abstract address starts with a NUL and has no other terminator. The address's length or -ENAMETOOLONG.
static int32_t make_address(struct sockaddr_un *address, const char *name, size_t length) {
    *address = (struct sockaddr_un){.sun_family = AF_UNIX};
    if (length >= sizeof address->sun_path) return -ENAMETOOLONG;
    memcpy(address->sun_path + 1, name, length);
    return (int32_t)(offsetof(struct sockaddr_un, sun_path) + 1 + length);
}

static int32_t close_with(int fd, int32_t result) {
    close(fd);
    return result;
}

int32_t slx_socket_listen(const char *name, size_t length, int32_t backlog) {
    struct sockaddr_un address;
    int32_t size = make_address(&address, name, length);
    if (size < 0) return size;
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0) return -errno;
    if (bind(fd, (struct sockaddr *)&address, (socklen_t)size) < 0) return close_with(fd, -errno);
    if (listen(fd, backlog) < 0) return close_with(fd, -errno);
    return fd;
}

int32_t slx_socket_connect(const char *name, size_t length) {
    struct sockaddr_un address;
    int32_t size = make_address(&address, name, length);
    if (size < 0) return size;
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0) return -errno;
    if (connect(fd, (struct sockaddr *)&address, (socklen_t)size) < 0) return close_with(fd, -errno);
    return fd;
}

int32_t slx_socket_accept(int32_t fd) { SLX_RESULT(int32_t, accept4(fd, NULL, NULL, SOCK_CLOEXEC)); }

int32_t slx_socket_shut_down(int32_t fd) { SLX_RESULT(int32_t, shutdown(fd, SHUT_RDWR)); }

int32_t slx_socket_peer(int32_t fd, int32_t *pid, uint32_t *uid, uint32_t *gid) {
    struct ucred peer;
    socklen_t size = sizeof peer;
    if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) < 0) return -errno;
    *pid = peer.pid;
    *uid = peer.uid;
    *gid = peer.gid;
    return 0;
}

int64_t slx_socket_send(int32_t fd, const void *bytes, size_t size) {
    SLX_RESULT(int64_t, send(fd, bytes, size, MSG_NOSIGNAL));
}

int32_t slx_socket_receive_descriptor(int32_t fd) {
    char byte;
    struct iovec part = {.iov_base = &byte, .iov_len = 1};
    union {
        struct cmsghdr header;
        char room[CMSG_SPACE(sizeof(int))];
    } control;
    struct msghdr message = {
        .msg_iov = &part, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof control};
    ssize_t count;
    do count = recvmsg(fd, &message, MSG_CMSG_CLOEXEC);
    while (count < 0 && errno == EINTR);
    if (count < 0) return -errno;
    struct cmsghdr *header = CMSG_FIRSTHDR(&message);
    if (header == NULL || header->cmsg_level != SOL_SOCKET || header->cmsg_type != SCM_RIGHTS) return -EPROTO;
    int32_t received;
    memcpy(&received, CMSG_DATA(header), sizeof received);
    return received;
}
