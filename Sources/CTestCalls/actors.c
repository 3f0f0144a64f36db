#include "CTestCalls.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

// Runs in a forked copy of a process with threads: system calls only.

static void put(const char *path, const char *text) {
    int fd = open(path, O_WRONLY);
    if (fd < 0) return;
    if (write(fd, text, strlen(text)) < 0) return;
    close(fd);
}

/// The groups of the calling process, on one line.
static void append_groups(char *answer, size_t size) {
    char text[2048] = "";
    int fd = open("/proc/self/cgroup", O_RDONLY);
    ssize_t count = fd < 0 ? 0 : read(fd, text, sizeof text - 1);
    if (fd >= 0) close(fd);
    text[count > 0 ? count : 0] = 0;
    for (char *at = text; *at; at++)
        if (*at == '\n') *at = ' ';
    strncat(answer, text, size - strlen(answer) - 1);
}

static void drop_capabilities(void) {
    struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
    struct __user_cap_data_struct data[2] = {{0}};
    syscall(SYS_capset, &header, data);
}

static void become(const tc_actor *who) {
    if (who->uid != 0) {
        setgroups(0, NULL);
        if (setresgid(who->gid, who->gid, who->gid) != 0 || setresuid(who->uid, who->uid, who->uid) != 0) _exit(9);
    } else if (!who->capable) {
        drop_capabilities();
    }
    if (!(who->namespaces & CLONE_NEWUSER)) return;
    if (unshare(CLONE_NEWUSER) != 0) _exit(8);
    char map[64];
    put("/proc/self/setgroups", "deny");
    snprintf(map, sizeof map, "0 %u 1", who->uid);
    put("/proc/self/uid_map", map);
    snprintf(map, sizeof map, "0 %u 1", who->gid);
    put("/proc/self/gid_map", map);
}

/// Makes what is entered differ from what was left.
static void enter(const tc_actor *who) {
    int flags = who->namespaces & ~(CLONE_NEWUSER | CLONE_NEWPID);
    if (flags != 0 && unshare(flags) != 0) _exit(7);
    if (flags & CLONE_NEWUTS && sethostname("inner", 5) != 0) _exit(7);
    if (flags & CLONE_NEWIPC) put("/proc/sys/kernel/msgmni", "77");
    if (flags & CLONE_NEWNET) put("/proc/sys/net/ipv4/ip_forward", "1");
}

static void report(char *answer, size_t size, long result, const char *text) {
    int error = result < 0 ? errno : 0;
    snprintf(answer, size, "%s:%s", error ? tc_errno_name(error) : "ok", error ? "" : text);
}

static void act(const char *path, int kind, const char *argument, pid_t other, char *answer, size_t size) {
    char text[2048] = "";
    long result = -1;
    if (kind == TC_READ_LINK) {
        result = readlink(path, text, sizeof text - 1);
    } else if (kind == TC_LIST) {
        int fd = (int)(result = open(path, O_RDONLY | O_DIRECTORY));
        if (fd >= 0) result = syscall(SYS_getdents64, fd, text, sizeof text) < 0 ? -1 : 0;
        text[0] = 0;
    } else {
        int flags = kind == TC_READ ? O_RDONLY : kind == TC_OPEN ? atoi(argument) : O_WRONLY;
        int fd = (int)(result = open(path, flags | O_NONBLOCK));
        if (fd >= 0 && kind == TC_READ) result = read(fd, text, sizeof text - 1);
        if (fd >= 0 && kind == TC_WRITE) {
            int number = strcmp(argument, "self") == 0 ? getpid() : strcmp(argument, "other") == 0 ? other : 0;
            if (number != 0) snprintf(text, sizeof text, "%d\n", number);
            else snprintf(text, sizeof text, "%s", argument);
            result = write(fd, text, strlen(text));
            text[0] = 0;
        }
    }
    if (kind == TC_READ || kind == TC_READ_LINK) text[result > 0 ? result : 0] = 0;
    report(answer, size, result, text);
}

/// A process beside the actor, that tells its groups when it is asked.
static pid_t start_other(int ask[2], int told[2]) {
    if (pipe(ask) != 0 || pipe(told) != 0) _exit(6);
    pid_t pid = fork();
    if (pid != 0) return pid;
    close(ask[1]);
    char text[2048] = "", byte;
    if (read(ask[0], &byte, 1) != 1) _exit(0);
    append_groups(text, sizeof text);
    _exit(write(told[1], text, strlen(text)) < 0);
}

static void run(const char *path, int kind, const char *argument, const tc_actor *who, int out) {
    char answer[4096] = "";
    int ask[2], told[2];
    // Before becoming somebody, so that everybody's other process is his own.
    become(who);
    pid_t other = start_other(ask, told);
    act(path, kind, argument, other, answer, sizeof answer);
    if (kind == TC_WRITE) {
        char text[2048] = "";
        strncat(answer, " self ", sizeof answer - strlen(answer) - 1);
        append_groups(answer, sizeof answer);
        ssize_t count = write(ask[1], "x", 1) == 1 ? read(told[0], text, sizeof text - 1) : 0;
        text[count > 0 ? count : 0] = 0;
        strncat(answer, "other ", sizeof answer - strlen(answer) - 1);
        strncat(answer, text, sizeof answer - strlen(answer) - 1);
    }
    kill(other, SIGKILL);
    waitpid(other, NULL, 0);
    if (write(out, answer, strlen(answer)) < 0) _exit(5);
    _exit(0);
}

long tc_act(const tc_actor *who, const char *path, int kind, const char *argument, char *answer, size_t size) {
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) != 0) return -errno;
    pid_t child = fork();
    if (child < 0) return -errno;
    if (child == 0) {
        enter(who);
        if (who->namespaces & CLONE_NEWPID && unshare(CLONE_NEWPID) != 0) _exit(7);
        pid_t actor = fork();
        if (actor == 0) run(path, kind, argument, who, ends[1]);
        int status = 0;
        waitpid(actor, &status, 0);
        _exit(WIFEXITED(status) ? WEXITSTATUS(status) : 4);
    }
    close(ends[1]);
    size_t filled = 0;
    ssize_t count;
    struct pollfd end = {.fd = ends[0], .events = POLLIN};
    while (filled < size - 1 && poll(&end, 1, 20000) > 0 && (count = read(ends[0], answer + filled, size - 1 - filled)) > 0)
        filled += (size_t)count;
    answer[filled] = 0;
    close(ends[0]);
    kill(child, filled == 0 ? SIGKILL : 0);
    int status = 0;
    waitpid(child, &status, 0);
    return filled > 0 ? (long)filled : -ETIMEDOUT;
}
