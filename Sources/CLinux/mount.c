#include "CLinux.h"
#include "result.h"

#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

int32_t slx_mount(
    const char *source, const char *target, const char *type, uint64_t flags, const char *options) {
    SLX_RESULT(int32_t, mount(source, target, type, flags, options));
}

int32_t slx_umount(const char *target, int32_t flags) { SLX_RESULT(int32_t, umount2(target, flags)); }

/// struct mount_attr and numbers of <linux/mount.h>, which older headers lack.
struct attributes {
    uint64_t set;
    uint64_t cleared;
    uint64_t propagation;
    uint64_t users;
};

enum { OPEN_TREE = 428, MOUNT_SETATTR = 442, CLONE_TREE = 1 };

int32_t slx_clone_mount(int32_t fd, uint64_t set, uint64_t cleared) {
    struct attributes attributes = {.set = set, .cleared = cleared};
    long clone = syscall(OPEN_TREE, fd, "", AT_EMPTY_PATH | CLONE_TREE | O_CLOEXEC);
    if (clone < 0) return -errno;
    if (syscall(MOUNT_SETATTR, (int)clone, "", AT_EMPTY_PATH, &attributes, sizeof attributes) == 0) {
        return (int32_t)clone;
    }
    int error = errno;
    close((int)clone);
    return -error;
}

int32_t slx_clone_mount_at(const char *path) {
    SLX_RESULT(int32_t, syscall(OPEN_TREE, AT_FDCWD, path, AT_SYMLINK_NOFOLLOW | CLONE_TREE | O_CLOEXEC));
}

/// The number that the child finds its end of the socket under, and how fusermount3 is told of it.
enum { CHILD_SOCKET = 3 };
static char child_variable[] = "_FUSE_COMMFD=3";

/// The environment with that variable in front; free() it. NULL when out of memory.
static char **child_environment(void) {
    size_t count = 0;
    while (environ[count] != NULL) count++;
    char **copy = malloc((count + 2) * sizeof *copy);
    if (copy == NULL) return NULL;
    copy[0] = child_variable;
    memcpy(copy + 1, environ, (count + 1) * sizeof *copy);
    return copy;
}

/// Starts fusermount3 with nothing blocked and, unless -1, `socket` as its CHILD_SOCKET and `errors` as its
/// standard error.
static int32_t start(char *const arguments[], char *const environment[], int32_t socket, int32_t errors) {
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    int error = posix_spawn_file_actions_init(&actions);
    if (error != 0) return -error;
    error = posix_spawnattr_init(&attributes);
    if (error != 0) {
        posix_spawn_file_actions_destroy(&actions);
        return -error;
    }
    sigset_t none;
    sigemptyset(&none);
    posix_spawnattr_setsigmask(&attributes, &none);
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK);
    // Onto its own number this only clears close-on-exec.
    if (errors >= 0) error = posix_spawn_file_actions_adddup2(&actions, errors, STDERR_FILENO);
    if (error == 0 && socket >= 0) error = posix_spawn_file_actions_adddup2(&actions, socket, CHILD_SOCKET);
    pid_t pid = 0;
    if (error == 0) error = posix_spawnp(&pid, arguments[0], &actions, &attributes, arguments, environment);
    posix_spawnattr_destroy(&attributes);
    posix_spawn_file_actions_destroy(&actions);
    return error != 0 ? -error : pid;
}

/// Waits for the child, through interruptions: 0 when it exited well, else -EPERM.
static int32_t finish(int32_t pid) {
    int status = 0;
    while (waitpid(pid, &status, 0) < 0)
        if (errno != EINTR) return -errno;
    return WIFEXITED(status) && WEXITSTATUS(status) == 0 ? 0 : -EPERM;
}

/// Reads what the pipe holds, and no more: another process may have its other end.
static void take_message(int32_t pipe, char *message, size_t size) {
    if (message == NULL || size == 0) return;
    ssize_t count = read(pipe, message, size - 1);
    message[count > 0 ? count : 0] = 0;
}

int32_t slx_fusermount(const char *target, const char *options, char *message, size_t size) {
    char *arguments[] = {"fusermount3", "-o", (char *)options, "--", (char *)target, NULL};
    int sockets[2];
    int errors[2];
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sockets) < 0) return -errno;
    if (pipe2(errors, O_CLOEXEC | O_NONBLOCK) < 0) {
        int32_t result = -errno;
        close(sockets[0]);
        close(sockets[1]);
        return result;
    }
    char **environment = child_environment();
    int32_t pid = environment == NULL ? -ENOMEM : start(arguments, environment, sockets[0], errors[1]);
    free(environment);
    // Our copy of the child's end must go first, or its death would not end the wait below.
    close(sockets[0]);
    close(errors[1]);
    int32_t result = pid;
    if (pid > 0) {
        int32_t fd = slx_socket_receive_descriptor(sockets[1]);
        result = finish(pid);
        if (result == 0) {
            result = fd;
        } else if (fd >= 0) {
            close(fd);
        }
    }
    take_message(errors[0], message, size);
    close(errors[0]);
    close(sockets[1]);
    return result;
}

int32_t slx_fusermount_unmount(const char *target, int32_t lazy) {
    char *now[] = {"fusermount3", "-u", "-q", "--", (char *)target, NULL};
    char *later[] = {"fusermount3", "-u", "-q", "-z", "--", (char *)target, NULL};
    int32_t pid = start(lazy ? later : now, environ, -1, -1);
    return pid < 0 ? pid : finish(pid);
}
