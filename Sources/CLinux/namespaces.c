#include "CLinux.h"
#include "agent.h"
#include "procpath.h"
#include "result.h"

#include <fcntl.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#ifndef CLONE_NEWTIME  // <linux/sched.h>
#define CLONE_NEWTIME 0x80
#endif

const struct agent_namespace agent_namespaces[SLX_NAMESPACE_COUNT] = {
    {"user", CLONE_NEWUSER}, {"mnt", CLONE_NEWNS},   {"pid", CLONE_NEWPID},       {"net", CLONE_NEWNET},
    {"uts", CLONE_NEWUTS},   {"ipc", CLONE_NEWIPC},  {"cgroup", CLONE_NEWCGROUP}, {"time", CLONE_NEWTIME},
};

enum { MISSING = 1 };  // no namespace has that number

/// The number in a link's text "name:[NUMBER]"; MISSING where the kernel has no such namespaces; 0: not to be seen.
static uint64_t number_of(int directory, const char *name) {
    char text[48];
    ssize_t length = readlinkat(directory, name, text, sizeof text - 1);
    if (length <= 0) return length < 0 && errno == ENOENT ? MISSING : 0;
    text[length] = 0;
    const char *bracket = strchr(text, '[');
    return bracket ? strtoull(bracket + 1, NULL, 10) : 0;
}

/// The process's own, which never change: no thread of it that asks for others enters one.
static uint64_t own_number(int index) {
    static _Atomic uint64_t numbers[SLX_NAMESPACE_COUNT];
    uint64_t known = atomic_load_explicit(&numbers[index], memory_order_relaxed);
    if (known != 0) return known;
    int directory = open("/proc/thread-self/ns", O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (directory < 0) return 0;
    known = number_of(directory, agent_namespaces[index].name);
    close(directory);
    atomic_store_explicit(&numbers[index], known, memory_order_relaxed);
    return known;
}

static int open_of_thread(int32_t thread, const char *name) {
    char path[64] = "/proc/";
    char *end = slx_put_number(path + 6, thread);
    stpcpy(stpcpy(end, "/"), name);
    return open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
}

/// Whether the thread's root directory isn't the process's.
static int has_other_root(int namespaces) {
    struct stat own, other;
    if (stat("/", &own) < 0 || fstatat(namespaces, "../root", &other, 0) < 0) return 1;
    return own.st_dev != other.st_dev || own.st_ino != other.st_ino;
}

/// 1: another one than the process's.
static int32_t compare_one(int index, uint64_t number) {
    if (number == 0) return -EACCES;
    if (number == MISSING && own_number(index) != MISSING) return -ESRCH;  // it has just ended
    return number != own_number(index);
}

static int32_t compare(int directory, uint32_t asked) {
    uint32_t foreign = 0;
    for (int index = 0; index < SLX_NAMESPACE_COUNT; index++) {
        if (!(asked >> index & 1)) continue;
        int32_t other = compare_one(index, number_of(directory, agent_namespaces[index].name));
        if (other < 0) return other;
        foreign |= (uint32_t)other << index;
    }
    if (asked & SLX_NAMESPACE_MOUNT && has_other_root(directory)) foreign |= SLX_NAMESPACE_MOUNT;
    return (int32_t)foreign;
}

/// The same of one namespace, which is sooner asked by its whole path.
static int32_t compare_alone(int32_t thread, int index) {
    char path[64] = "/proc/";
    stpcpy(stpcpy(slx_put_number(path + 6, thread), "/ns/"), agent_namespaces[index].name);
    int32_t other = compare_one(index, number_of(AT_FDCWD, path));
    return other < 0 ? other : other << index;
}

int32_t slx_foreign_namespaces(int32_t thread, uint32_t asked) {
    if (asked != SLX_NAMESPACE_MOUNT && (asked & (asked - 1)) == 0) return compare_alone(thread, __builtin_ctz(asked));
    int directory = open_of_thread(thread, "ns");
    if (directory < 0) return -errno;
    int32_t foreign = compare(directory, asked);
    close(directory);
    return foreign;
}

/// The line of a status file that has the process's number in each pid namespace, from that of the file's
/// filesystem to its own; the caller frees it. NULL: there is none.
static char *numbers_line(int directory, const char *path) {
    int fd = openat(directory, path, O_RDONLY | O_CLOEXEC);
    FILE *file = fd < 0 ? NULL : fdopen(fd, "r");
    if (!file) {
        if (fd >= 0) close(fd);
        return NULL;
    }
    char *line = NULL;
    size_t room = 0;
    int found = 0;
    while (!found && getline(&line, &room, file) > 0) found = strncmp(line, "NSpid:", 6) == 0;
    fclose(file);
    if (found) return line;
    free(line);
    return NULL;
}

int32_t slx_innermost_number(int32_t thread) {
    char path[64] = "/proc/";
    stpcpy(slx_put_number(path + 6, thread), "/status");
    char *line = numbers_line(AT_FDCWD, path);
    const char *last = line ? strrchr(line, '\t') : NULL;
    int32_t number = last ? atoi(last + 1) : -ESRCH;
    free(line);
    return number;
}

static int32_t levels(int directory, const char *path) {
    char *line = numbers_line(directory, path);
    int32_t count = 0;
    for (const char *next = line; next && (next = strchr(next, '\t')); next++) count++;
    free(line);
    return count;
}

int32_t slx_numbers_as_here(int32_t proc) {
    // Both namespaces are this process's own or above it, where each level is but one.
    int32_t there = levels(proc, "self/status");
    return there > 0 && there == levels(AT_FDCWD, "/proc/self/status");
}
