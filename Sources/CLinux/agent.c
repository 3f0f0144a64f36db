// The server's side of agents: processes that make one call each, as somebody that no thread of the server can be.
//
// The kernel lets a thread look into its own process whatever its credentials, knows processes by the numbers of the
// namespace that the thread is in, and lets nobody but a single thread enter a user namespace. So such calls are made
// by a process of their own. A broker, forked at first need, forks them: the server is large, and may not wait.

#include "agent.h"
#include "procpath.h"
#include "result.h"

#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { MOST_PATIENCE = 100 /* milliseconds */ };

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static int broker = -1;  // the connection to it
static pid_t broker_process;

static int start_broker(void) {
    int ends[2];
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) < 0) return -errno;
    // Not fork(2) of glibc: its handlers take locks that other threads may hold.
    long pid = syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0);
    if (pid == 0) agent_broker(ends[1]);
    int error = errno;
    close(ends[1]);
    if (pid > 0) {
        broker_process = (pid_t)pid;
        return ends[0];
    }
    close(ends[0]);
    return -error;
}

static int is_broker_gone(void) {
    struct pollfd end = {.fd = broker};
    return poll(&end, 1, 0) > 0;
}

/// A copy of the connection to the broker, which another thread may replace meanwhile.
static int broker_connection(void) {
    pthread_mutex_lock(&lock);
    if (broker >= 0 && is_broker_gone()) {
        close(broker);
        broker = -1;
        waitpid(broker_process, NULL, 0);
    }
    if (broker < 0) broker = start_broker();
    int result = broker < 0 ? broker : fcntl(broker, F_DUPFD_CLOEXEC, 0);
    if (result == -1) result = -errno;
    pthread_mutex_unlock(&lock);
    return result;
}

static int open_link(int32_t thread, const char *part, const char *name, int flags) {
    char path[64] = "/proc/";
    stpcpy(stpcpy(stpcpy(slx_put_number(path + 6, thread), "/"), part), name);
    return open(path, flags | O_CLOEXEC);
}

/// Opens what is to be entered; the number of descriptors, or the negative errno with those before it left open.
static int open_places(const struct slx_agent_call *call, int *descriptors, int count) {
    for (int index = 0; index < SLX_NAMESPACE_COUNT; index++) {
        if (!(call->namespaces >> index & 1)) continue;
        int fd = open_link(call->thread, "ns/", agent_namespaces[index].name, O_RDONLY);
        if (fd < 0) return -errno;
        descriptors[count++] = fd;
    }
    if (!(call->namespaces & SLX_NAMESPACE_MOUNT)) return count;
    for (int index = 0; index < 2; index++) {
        int fd = open_link(call->thread, index == 0 ? "root" : "cwd", "", O_PATH | O_DIRECTORY);
        if (fd < 0) return -errno;
        descriptors[count++] = fd;
    }
    return count;
}

static int send_head(int control, const struct agent_request *head, const int *descriptors, int count) {
    char room[CMSG_SPACE(sizeof(int) * AGENT_MOST_DESCRIPTORS)] = {0};
    struct iovec bytes = {.iov_base = (void *)head, .iov_len = sizeof *head};
    struct msghdr message = {.msg_iov = &bytes, .msg_iovlen = 1, .msg_control = room};
    message.msg_controllen = CMSG_SPACE(sizeof(int) * (size_t)count);
    struct cmsghdr *control_message = CMSG_FIRSTHDR(&message);
    control_message->cmsg_level = SOL_SOCKET;
    control_message->cmsg_type = SCM_RIGHTS;
    control_message->cmsg_len = CMSG_LEN(sizeof(int) * (size_t)count);
    memcpy(CMSG_DATA(control_message), descriptors, sizeof(int) * (size_t)count);
    SLX_RESULT(int, sendmsg(control, &message, MSG_NOSIGNAL));
}

static int hand_over(const struct agent_request *head, const int *descriptors, int count) {
    int result = -EPIPE;
    for (int attempt = 0; attempt < 2 && (result == -EPIPE || result == -ECONNRESET); attempt++) {
        int control = broker_connection();
        if (control < 0) return control;
        result = send_head(control, head, descriptors, count);
        close(control);
    }
    return result < 0 ? result : 0;
}

static int send_all(int connection, const void *bytes, size_t size) {
    const char *next = bytes;
    while (size > 0) {
        ssize_t sent = send(connection, next, size, MSG_NOSIGNAL);
        if (sent < 0) return -errno;
        next += sent;
        size -= (size_t)sent;
    }
    return 0;
}

static int send_body(int connection, const struct slx_agent_call *call, const struct agent_request *head) {
    int result = send_all(connection, call->groups, head->group_count * sizeof(uint32_t));
    if (result == 0) result = send_all(connection, call->path, head->path_length);
    if (result == 0 && call->operation == SLX_AGENT_WRITE) result = send_all(connection, call->buffer, call->size);
    return result;
}

/// Receives as recvmsg(2). A signal for the thread doesn't end it at once: the call may be through, and a call that
/// was made must be answered as such. One that goes on for longer is given up (EINTR).
static ssize_t receive(int connection, struct msghdr *message, int flags) {
    ssize_t count = recvmsg(connection, message, flags);
    if (count >= 0 || errno != EINTR) return count;
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    int64_t end = now.tv_sec * 1000LL + now.tv_nsec / 1000000 + MOST_PATIENCE;
    while (1) {
        clock_gettime(CLOCK_MONOTONIC, &now);
        int64_t left = end - (now.tv_sec * 1000LL + now.tv_nsec / 1000000);
        struct pollfd answer = {.fd = connection, .events = POLLIN};
        if (left <= 0 || poll(&answer, 1, (int)left) == 0) {
            errno = EINTR;
            return -1;
        }
        count = recvmsg(connection, message, flags | MSG_DONTWAIT);
        if (count >= 0 || (errno != EINTR && errno != EAGAIN)) return count;
    }
}

/// The call's result, and with it the descriptor that an open gave.
static int64_t receive_result(int connection, int32_t *opened) {
    int64_t result = 0;
    char room[CMSG_SPACE(sizeof(int))] = {0};
    struct iovec bytes = {.iov_base = &result, .iov_len = sizeof result};
    struct msghdr message = {.msg_iov = &bytes, .msg_iovlen = 1, .msg_control = room, .msg_controllen = sizeof room};
    ssize_t count = receive(connection, &message, MSG_CMSG_CLOEXEC | MSG_WAITALL);
    if (count < 0) return -errno;
    struct cmsghdr *control_message = CMSG_FIRSTHDR(&message);
    if (control_message && control_message->cmsg_type == SCM_RIGHTS)
        memcpy(opened, CMSG_DATA(control_message), sizeof *opened);
    return count == sizeof result ? result : -EINTR;  // the process that was to answer was killed
}

static int64_t receive_answer(int connection, const struct slx_agent_call *call, int32_t *opened) {
    int64_t result = receive_result(connection, opened);
    int brings_data = call->operation >= SLX_AGENT_READ && call->operation < SLX_AGENT_WRITE;
    if (result <= 0 || !brings_data) return result;
    if ((uint64_t)result > call->size) return -EPROTO;
    struct iovec bytes = {.iov_base = call->buffer, .iov_len = (size_t)result};
    for (int64_t received = 0; received < result;) {
        struct msghdr message = {.msg_iov = &bytes, .msg_iovlen = 1};
        ssize_t count = receive(connection, &message, MSG_WAITALL);
        if (count < 0) return -errno;
        if (count == 0) return -EINTR;
        received += count;
        bytes.iov_base = (char *)call->buffer + received;
        bytes.iov_len = (size_t)(result - received);
    }
    return result;
}

/// Closes all but the first two, which are the caller's.
static void close_places(const int *descriptors) {
    for (int index = 2; index < AGENT_MOST_DESCRIPTORS; index++)
        if (descriptors[index] >= 0) close(descriptors[index]);
}

/// Hands `answering`, the agent's end of a connection, over with the request: then its death is noticed here.
static int begin(const struct slx_agent_call *call, const struct agent_request *head, int answering) {
    int descriptors[AGENT_MOST_DESCRIPTORS];
    for (int index = 0; index < AGENT_MOST_DESCRIPTORS; index++) descriptors[index] = -1;
    descriptors[0] = answering;
    descriptors[1] = call->object;
    int count = open_places(call, descriptors, 2);
    int result = count < 0 ? count : hand_over(head, descriptors, count);
    close_places(descriptors);
    return result;
}

static struct agent_request head_of(const struct slx_agent_call *call) {
    return (struct agent_request){
        .operation = call->operation,
        .flags = call->flags,
        .namespaces = call->namespaces,
        .uid = call->uid,
        .gid = call->gid,
        .group_count = (uint32_t)call->group_count,
        .path_length = call->path ? (uint32_t)strlen(call->path) + 1 : 0,
        .is_stream = (uint32_t)call->is_stream,
        .capabilities = call->capabilities,
        .offset = call->offset,
        .size = call->size,
    };
}

int64_t slx_agent_call(const struct slx_agent_call *call, int32_t *opened) {
    struct agent_request head = head_of(call);
    *opened = -1;
    int ends[2];
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) < 0) return -errno;
    int64_t result = begin(call, &head, ends[1]);
    close(ends[1]);
    if (result == 0) result = send_body(ends[0], call, &head);
    // A request that is refused early is answered before its body is taken: then that is the answer.
    if (result == 0 || result == -EPIPE || result == -ECONNRESET) result = receive_answer(ends[0], call, opened);
    close(ends[0]);
    return result;
}
