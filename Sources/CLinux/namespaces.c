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

static int32_t compare(int directory, uint32_t asked) {
    uint32_t foreign = 0;
    for (int index = 0; index < SLX_NAMESPACE_COUNT; index++) {
        if (!(asked >> index & 1)) continue;
        uint64_t number = number_of(directory, agent_namespaces[index].name);
        if (number == 0) return -EACCES;
        if (number == MISSING && own_number(index) != MISSING) return -ESRCH;  // it has just ended
        if (number != own_number(index)) foreign |= 1u << index;
    }
    if (asked & SLX_NAMESPACE_MOUNT && has_other_root(directory)) foreign |= SLX_NAMESPACE_MOUNT;
    return (int32_t)foreign;
}

int32_t slx_foreign_namespaces(int32_t thread, uint32_t asked) {
    int directory = open_of_thread(thread, "ns");
    if (directory < 0) return -errno;
    int32_t foreign = compare(directory, asked);
    close(directory);
    return foreign;
}

int32_t slx_innermost_number(int32_t thread) {
    char path[64] = "/proc/";
    stpcpy(slx_put_number(path + 6, thread), "/status");
    FILE *file = fopen(path, "re");
    if (!file) return -errno;
    char *line = NULL;
    size_t room = 0;
    int32_t number = -ESRCH;
    while (number < 0 && getline(&line, &room, file) > 0) {
        const char *last = strncmp(line, "NSpid:", 6) == 0 ? strrchr(line, '\t') : NULL;
        if (last) number = atoi(last + 1);
    }
    free(line);
    fclose(file);
    return number;
}
