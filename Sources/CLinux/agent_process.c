// The other side: the broker, and for each request a process that enters the caller's namespaces, and below it one
// that makes the call as the caller. The lower one may be seen and stopped by root of those namespaces; the upper one,
// which watches over it, not. Neither can be traced from there: their memory is that of the server's user namespace.
//
// Nothing here may take a lock or allocate: this runs in a copy of a process that had other threads.

#include "agent.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/openat2.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#ifndef SYS_close_range
#define SYS_close_range 436
#endif

enum { HUGE_BODY = 64 << 20, WATCH_INTERVAL = 20 /* milliseconds */ };

/// What an agent is told.
struct task {
    struct agent_request head;
    int descriptors[AGENT_MOST_DESCRIPTORS];
    const uint32_t *groups;
    const char *path;
    char *data;
};

static int connection_of(const struct task *task) { return task->descriptors[0]; }

/// Answers, once, and ends. `opened` goes along where it is a descriptor.
static _Noreturn void answer(const struct task *task, int64_t result, int opened, const void *data) {
    char room[CMSG_SPACE(sizeof(int))] = {0};
    struct iovec bytes[2] = {
        {.iov_base = &result, .iov_len = sizeof result},
        {.iov_base = (void *)data, .iov_len = data && result > 0 ? (size_t)result : 0},
    };
    struct msghdr message = {.msg_iov = bytes, .msg_iovlen = 2};
    if (opened >= 0) {
        message.msg_control = room;
        message.msg_controllen = sizeof room;
        struct cmsghdr *control = CMSG_FIRSTHDR(&message);
        control->cmsg_level = SOL_SOCKET;
        control->cmsg_type = SCM_RIGHTS;
        control->cmsg_len = CMSG_LEN(sizeof(int));
        memcpy(CMSG_DATA(control), &opened, sizeof opened);
    }
    while (bytes[0].iov_len + bytes[1].iov_len > 0) {
        ssize_t sent = sendmsg(connection_of(task), &message, MSG_NOSIGNAL);
        if (sent < 0) break;
        message.msg_control = NULL;
        message.msg_controllen = 0;
        for (int part = 0; part < 2; part++) {
            size_t gone = (size_t)sent < bytes[part].iov_len ? (size_t)sent : bytes[part].iov_len;
            bytes[part].iov_base = (char *)bytes[part].iov_base + gone;
            bytes[part].iov_len -= gone;
            sent -= (ssize_t)gone;
        }
    }
    _exit(0);
}

static _Noreturn void fail(const struct task *task, int error) { answer(task, -error, -1, NULL); }

// --- becoming the caller

static void set_capabilities(const struct task *task, uint64_t effective, uint64_t permitted) {
    struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
    struct __user_cap_data_struct data[2] = {
        {.effective = (uint32_t)effective, .permitted = (uint32_t)permitted},
        {.effective = (uint32_t)(effective >> 32), .permitted = (uint32_t)(permitted >> 32)},
    };
    if (syscall(SYS_capset, &header, data) < 0) fail(task, errno);
}

static uint64_t permitted(void) {
    struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
    struct __user_cap_data_struct data[2] = {{0}};
    syscall(SYS_capget, &header, data);
    return (uint64_t)data[1].permitted << 32 | data[0].permitted;
}

/// The descriptor of namespace `index`, where it is to be entered.
static int namespace_of(const struct task *task, int index) {
    if (!(task->head.namespaces >> index & 1)) return -1;
    int place = 2;
    for (int before = 0; before < index; before++) place += task->head.namespaces >> before & 1;
    return task->descriptors[place];
}

/// All but the user namespace, for which the caller's ids must be taken first: there, ours have no numbers.
static void enter_namespaces(const struct task *task) {
    for (int index = SLX_NAMESPACE_COUNT - 1; index > 0; index--) {
        int fd = namespace_of(task, index);
        if (fd >= 0 && setns(fd, agent_namespaces[index].flag) < 0) fail(task, errno);
    }
    if (!(task->head.namespaces & SLX_NAMESPACE_MOUNT)) return;
    int count = 2 + __builtin_popcount(task->head.namespaces);
    if (fchdir(task->descriptors[count]) < 0 || chroot(".") < 0 || fchdir(task->descriptors[count + 1]) < 0)
        fail(task, errno);
}

/// Real and saved ids stay the server's, as with its threads: no user can signal the process by them.
static void become_caller(const struct task *task) {
    if (syscall(SYS_setgroups, task->head.group_count, task->groups) < 0) fail(task, errno);
    if (syscall(SYS_setresgid, -1, task->head.gid, -1) < 0) fail(task, errno);
    if (syscall(SYS_setresuid, -1, task->head.uid, -1) < 0) fail(task, errno);
    int users = namespace_of(task, 0);
    if (users >= 0) {
        uint64_t all = permitted();
        set_capabilities(task, all, all);
        if (setns(users, CLONE_NEWUSER) < 0) fail(task, errno);
    }
    uint64_t wanted = task->head.capabilities & permitted();
    set_capabilities(task, wanted, wanted);
}

// --- the calls

static int open_object(const struct task *task, int flags) {
    struct open_how how = {
        .flags = (uint64_t)(uint32_t)(flags | O_CLOEXEC),
        .resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS,
    };
    const char *path = task->path[0] ? task->path : ".";
    long fd = -1;
    for (int attempt = 0; attempt < 16; attempt++) {
        fd = syscall(SYS_openat2, task->descriptors[1], path, &how, sizeof how);
        if (fd >= 0) return (int)fd;
        if (errno != EAGAIN) break;
    }
    fail(task, errno);
}

/// A directory's listing may depend on its reader, too.
static void check_listing(const struct task *task, int fd) {
    char entries[2048];
    if (syscall(SYS_getdents64, fd, entries, sizeof entries) < 0) fail(task, errno);
    lseek(fd, 0, SEEK_SET);
}

static ssize_t write_at(const struct task *task) {
    int fd = task->descriptors[1];
    size_t size = task->head.size;
    if (task->head.is_stream) return write(fd, task->data, size);
    ssize_t count = pwrite(fd, task->data, size, task->head.offset);
    if (count >= 0 || errno != ESPIPE) return count;
    // Sequence files of proc have a position, and write(2) but no pwrite(2).
    if (task->head.offset != 0) lseek(fd, task->head.offset, SEEK_SET);
    return write(fd, task->data, size);
}

static _Noreturn void make_call(const struct task *task) {
    int fd = -1;
    ssize_t count = 0;
    switch (task->head.operation) {
    case SLX_AGENT_OPEN:
        fd = open_object(task, task->head.flags);
        if (task->head.flags & O_DIRECTORY) check_listing(task, fd);
        answer(task, 0, fd, NULL);
    case SLX_AGENT_LOOK:
        fd = open_object(task, O_PATH | O_NOFOLLOW);
        // proc hides some processes from stat(2) only.
        if (fstat(fd, &(struct stat){0}) < 0) fail(task, errno);
        answer(task, 0, -1, NULL);
    case SLX_AGENT_READ:
        count = task->head.is_stream ? read(task->descriptors[1], task->data, task->head.size)
                                     : pread(task->descriptors[1], task->data, task->head.size, task->head.offset);
        break;
    case SLX_AGENT_READ_LINK:
        count = readlinkat(open_object(task, O_PATH | O_NOFOLLOW), "", task->data, task->head.size);
        break;
    case SLX_AGENT_LIST:
        count = syscall(SYS_getdents64, task->descriptors[1], task->data, task->head.size);
        break;
    case SLX_AGENT_WRITE: count = write_at(task); break;
    default: fail(task, ENOSYS);
    }
    if (count < 0) fail(task, errno);
    answer(task, count, -1, task->head.operation == SLX_AGENT_WRITE ? NULL : task->data);
}

// --- an agent's life

static void receive_all(const struct task *task, void *bytes, size_t size) {
    while (size > 0) {
        ssize_t count = recv(connection_of(task), bytes, size, MSG_WAITALL);
        if (count <= 0) _exit(1);
        bytes = (char *)bytes + count;
        size -= (size_t)count;
    }
}

/// Takes groups, path and data off the connection, or makes room for the data to come.
static void receive_body(struct task *task) {
    size_t groups = task->head.group_count * sizeof(uint32_t);
    size_t size = groups + task->head.path_length + task->head.size + 16;
    if (size > HUGE_BODY) fail(task, ENOMEM);
    char *room = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (room == MAP_FAILED) fail(task, ENOMEM);
    task->groups = (uint32_t *)room;
    task->path = room + groups;
    task->data = room + groups + task->head.path_length + 1;
    receive_all(task, room, groups + task->head.path_length);
    if (task->head.operation == SLX_AGENT_WRITE) receive_all(task, task->data, task->head.size);
}

/// Waits for the caller's double, and ends it when it is stopped or nobody waits for its answer any more.
static _Noreturn void watch_over(const struct task *task, pid_t child) {
    while (1) {
        int status = 0;
        pid_t changed = waitpid(child, &status, WNOHANG | WUNTRACED);
        if (changed == child && WIFEXITED(status) && WEXITSTATUS(status) == 0) _exit(0);
        if (changed == child && !WIFSTOPPED(status)) fail(task, EINTR);
        if (changed == child) kill(child, SIGKILL);
        struct pollfd end = {.fd = connection_of(task)};
        if (poll(&end, 1, WATCH_INTERVAL) > 0) {
            kill(child, SIGKILL);
            waitpid(child, &status, 0);
            _exit(0);
        }
    }
}

static _Noreturn void serve(struct task *task) {
    signal(SIGCHLD, SIG_DFL);
    enter_namespaces(task);
    long child = syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0);
    if (child < 0) fail(task, errno);
    if (child > 0) watch_over(task, (pid_t)child);
    receive_body(task);
    become_caller(task);
    make_call(task);
}

// --- the broker

/// Drops the copy of the server's memory, where that is large: each agent would cost the copying of its tables.
static void drop_memory(void) {
    static char text[1 << 16];
    int maps = open("/proc/self/maps", O_RDONLY | O_CLOEXEC);
    if (maps < 0) return;
    size_t length = 0;
    ssize_t count;
    while (length < sizeof text - 1 && (count = read(maps, text + length, sizeof text - 1 - length)) > 0)
        length += (size_t)count;
    close(maps);
    uintptr_t stack = (uintptr_t)__builtin_frame_address(0), thread = (uintptr_t)&errno;
    for (char *line = text; line && *line; line = strchr(line, '\n') ? strchr(line, '\n') + 1 : NULL) {
        uintptr_t bounds[2] = {0};
        char *next = line;
        for (int part = 0; part < 2; part++, next++)
            for (; *next && *next != '-' && *next != ' '; next++)
                bounds[part] = bounds[part] << 4 | (uintptr_t)(*next <= '9' ? *next - '0' : *next - 'a' + 10);
        char *end = strchr(next, '\n');
        // A mapping of a file, the stack or the kernel's has a name; the heap, too, and goes.
        char *name = memchr(next, '/', end ? (size_t)(end - next) : strlen(next));
        char *special = memchr(next, '[', end ? (size_t)(end - next) : strlen(next));
        if (name || (special && strncmp(special, "[heap]", 6) != 0)) continue;
        if (bounds[1] - bounds[0] < 4 << 20) continue;  // what libraries keep without a name is smaller
        if ((stack >= bounds[0] && stack < bounds[1]) || (thread >= bounds[0] && thread < bounds[1])) continue;
        munmap((void *)bounds[0], bounds[1] - bounds[0]);
    }
}

/// Nothing of the server's stays: neither its open files nor its name, and nobody may trace the process.
static int isolate(int control) {
    sigset_t all;
    sigfillset(&all);
    sigprocmask(SIG_SETMASK, &all, NULL);
    signal(SIGCHLD, SIG_IGN);
    prctl(PR_SET_NAME, "switchfs-agent");
    prctl(PR_SET_DUMPABLE, 0);
    if (dup2(control, 0) < 0) _exit(1);
    if (syscall(SYS_close_range, 1, ~0u, 0) < 0)
        for (int fd = (int)sysconf(_SC_OPEN_MAX); fd > 0; fd--) close(fd);
    fcntl(0, F_SETFD, FD_CLOEXEC);
    drop_memory();
    return 0;
}

/// A request's head and descriptors; 0 at the server's end.
static int receive_task(int control, struct task *task) {
    char room[CMSG_SPACE(sizeof(int) * AGENT_MOST_DESCRIPTORS)] = {0};
    struct iovec bytes = {.iov_base = &task->head, .iov_len = sizeof task->head};
    struct msghdr message = {.msg_iov = &bytes, .msg_iovlen = 1, .msg_control = room, .msg_controllen = sizeof room};
    ssize_t count = recvmsg(control, &message, MSG_CMSG_CLOEXEC);
    for (int index = 0; index < AGENT_MOST_DESCRIPTORS; index++) task->descriptors[index] = -1;
    if (count <= 0) return 0;
    struct cmsghdr *rights = CMSG_FIRSTHDR(&message);
    if (rights && rights->cmsg_type == SCM_RIGHTS)
        memcpy(task->descriptors, CMSG_DATA(rights), rights->cmsg_len - CMSG_LEN(0));
    return 1;
}

_Noreturn void agent_broker(int control) {
    control = isolate(control);
    struct task task;
    while (receive_task(control, &task)) {
        long pid = syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0);
        if (pid == 0) {
            close(control);
            serve(&task);
        }
        for (int index = 0; index < AGENT_MOST_DESCRIPTORS; index++)
            if (task.descriptors[index] >= 0) close(task.descriptors[index]);
    }
    _exit(0);
}
