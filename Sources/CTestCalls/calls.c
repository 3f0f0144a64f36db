#include "CTestCalls.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/capability.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <malloc.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <spawn.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <time.h>
#include <unistd.h>

#define RETURN(call)                                                                               \
    do {                                                                                           \
        long value_ = (long)(call);                                                                \
        return value_ == -1 ? -(long)errno : value_;                                               \
    } while (0)

static int64_t nanoseconds(struct statx_timestamp t) {
    return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

long tc_stat(int dir, const char *path, int flags, tc_status *out) {
    struct statx s;
    if (statx(dir, path, flags, STATX_BASIC_STATS, &s) != 0)
        return -(long)errno;
    *out = (tc_status){
        .device = makedev(s.stx_dev_major, s.stx_dev_minor),
        .inode = s.stx_ino,
        .size = s.stx_size,
        .blocks = s.stx_blocks,
        .special = makedev(s.stx_rdev_major, s.stx_rdev_minor),
        .mode = s.stx_mode,
        .links = s.stx_nlink,
        .uid = s.stx_uid,
        .gid = s.stx_gid,
        .block_size = s.stx_blksize,
        .accessed = nanoseconds(s.stx_atime),
        .modified = nanoseconds(s.stx_mtime),
        .changed = nanoseconds(s.stx_ctime),
    };
    return 0;
}

long tc_statfs(const char *path, tc_fs_status *out) {
    struct statfs s;
    if (statfs(path, &s) != 0)
        return -(long)errno;
    *out = (tc_fs_status){s.f_type,  s.f_bsize, s.f_blocks,  s.f_bfree,
                          s.f_files, s.f_ffree, s.f_namelen};
    return 0;
}

long tc_open(int dir, const char *path, int flags, unsigned mode) {
    RETURN(openat(dir, path, flags, mode));
}
long tc_close(int fd) { RETURN(close(fd)); }
long tc_read(int fd, void *to, size_t count) { RETURN(read(fd, to, count)); }
long tc_write(int fd, const void *from, size_t count) { RETURN(write(fd, from, count)); }
long tc_pread(int fd, void *to, size_t count, int64_t at) { RETURN(pread(fd, to, count, at)); }
long tc_pwrite(int fd, const void *from, size_t count, int64_t at) {
    RETURN(pwrite(fd, from, count, at));
}
long tc_seek(int fd, int64_t offset, int whence) { RETURN(lseek(fd, offset, whence)); }
long tc_set_flags(int fd, int flags) { RETURN(fcntl(fd, F_SETFL, flags)); }
long tc_ftruncate(int fd, int64_t size) { RETURN(ftruncate(fd, size)); }
long tc_truncate(const char *path, int64_t size) { RETURN(truncate(path, size)); }
long tc_fallocate(int fd, int mode, int64_t offset, int64_t length) {
    RETURN(fallocate(fd, mode, offset, length));
}
long tc_copy_range(int from, int64_t from_at, int to, int64_t to_at, size_t length) {
    off_t source = from_at, target = to_at;
    RETURN(copy_file_range(from, &source, to, &target, length, 0));
}
long tc_fsync(int fd) { RETURN(fsync(fd)); }
long tc_mkdir(int dir, const char *path, unsigned mode) { RETURN(mkdirat(dir, path, mode)); }
long tc_mknod(int dir, const char *path, unsigned mode, unsigned major, unsigned minor) {
    RETURN(mknodat(dir, path, mode, makedev(major, minor)));
}
long tc_symlink(const char *target, const char *path) { RETURN(symlink(target, path)); }
long tc_link(int from_dir, const char *from, const char *to, int flags) {
    RETURN(linkat(from_dir, from, AT_FDCWD, to, flags));
}
long tc_unlink(int dir, const char *path, int flags) { RETURN(unlinkat(dir, path, flags)); }
long tc_rename(const char *from, const char *to, unsigned flags) {
    RETURN(renameat2(AT_FDCWD, from, AT_FDCWD, to, flags));
}
long tc_readlink(const char *path, char *to, size_t count) { RETURN(readlink(path, to, count)); }
long tc_chmod(const char *path, unsigned mode) { RETURN(chmod(path, mode)); }
long tc_fchmod(int fd, unsigned mode) { RETURN(fchmod(fd, mode)); }
long tc_chown(const char *path, uint32_t uid, uint32_t gid, int flags) {
    RETURN(fchownat(AT_FDCWD, path, uid, gid, flags));
}
long tc_fchown(int fd, uint32_t uid, uint32_t gid) { RETURN(fchown(fd, uid, gid)); }

static struct timespec time_change(int64_t t) {
    if (t == INT64_MAX)
        return (struct timespec){0, UTIME_NOW};
    if (t == INT64_MIN)
        return (struct timespec){0, UTIME_OMIT};
    struct timespec result = {t / 1000000000, t % 1000000000};
    if (result.tv_nsec < 0) {
        result.tv_nsec += 1000000000;
        result.tv_sec -= 1;
    }
    return result;
}

long tc_utimens(const char *path, int64_t accessed, int64_t modified, int flags) {
    struct timespec times[2] = {time_change(accessed), time_change(modified)};
    RETURN(utimensat(AT_FDCWD, path, times, flags));
}
long tc_futimens(int fd, int64_t accessed, int64_t modified) {
    struct timespec times[2] = {time_change(accessed), time_change(modified)};
    RETURN(futimens(fd, times));
}
// faccessat with AT_EACCESS, as the kernel does it (glibc emulates it on the thread's real ids).
long tc_access(const char *path, int mode) {
    RETURN(syscall(SYS_faccessat2, AT_FDCWD, path, mode, AT_EACCESS));
}
long tc_getxattr(const char *path, const char *name, void *to, size_t count) {
    RETURN(lgetxattr(path, name, to, count));
}
long tc_setxattr(const char *path, const char *name, const void *from, size_t count, int flags) {
    RETURN(lsetxattr(path, name, from, count, flags));
}
long tc_removexattr(const char *path, const char *name) { RETURN(lremovexattr(path, name)); }
long tc_listxattr(const char *path, char *to, size_t count) { RETURN(llistxattr(path, to, count)); }
long tc_fgetxattr(int fd, const char *name, void *to, size_t count) {
    RETURN(fgetxattr(fd, name, to, count));
}
long tc_getdents(int fd, void *to, size_t count) { RETURN(syscall(SYS_getdents64, fd, to, count)); }

long tc_map(int fd, int64_t offset, size_t length, int writable, void **out) {
    *out = mmap(NULL, length, PROT_READ | (writable ? PROT_WRITE : 0), MAP_SHARED, fd, offset);
    return *out == MAP_FAILED ? -(long)errno : 0;
}
long tc_unmap(void *at, size_t length) { RETURN(munmap(at, length)); }
long tc_msync(void *at, size_t length) { RETURN(msync(at, length, MS_SYNC)); }

long tc_poll(int fd, short events, int milliseconds) {
    struct pollfd one = {fd, events, 0};
    int count = poll(&one, 1, milliseconds);
    return count < 0 ? -(long)errno : count == 0 ? 0 : one.revents;
}
long tc_epoll_create(void) { RETURN(epoll_create1(EPOLL_CLOEXEC)); }
long tc_epoll_add(int epoll, int fd, uint32_t events) {
    struct epoll_event event = {.events = events, .data.fd = fd};
    RETURN(epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event));
}
long tc_epoll_wait(int epoll, int milliseconds) {
    struct epoll_event event = {0};
    int count = epoll_wait(epoll, &event, 1, milliseconds);
    return count < 0 ? -(long)errno : count == 0 ? 0 : (long)event.events;
}
long tc_flock(int fd, int operation) { RETURN(flock(fd, operation)); }
long tc_ofd_lock(int fd, int type) {
    struct flock lock = {.l_type = (short)type, .l_whence = SEEK_SET};
    RETURN(fcntl(fd, F_OFD_SETLK, &lock));
}
long tc_ioctl(int fd, unsigned long command, void *argument) { RETURN(ioctl(fd, command, argument)); }
long tc_mount(const char *source, const char *target, const char *type, unsigned long flags,
              const char *options) {
    RETURN(mount(source, target, type, flags, options));
}
long tc_umount(const char *path, int flags) { RETURN(umount2(path, flags)); }
long tc_pipe(int ends[2]) { RETURN(pipe2(ends, O_CLOEXEC)); }
long tc_kill(int pid, int signal) { RETURN(kill(pid, signal)); }
long tc_chdir(const char *path) { RETURN(chdir(path)); }
unsigned tc_umask(unsigned mask) { return umask(mask); }

long tc_become(uint32_t uid, uint32_t gid, const uint32_t *groups, size_t count) {
    if (syscall(SYS_setgroups, count, groups) != 0 || syscall(SYS_setresgid, gid, gid, gid) != 0 ||
        syscall(SYS_setresuid, uid, uid, uid) != 0)
        return -(long)errno;
    return 0;
}

static long set_capabilities(uint64_t effective) {
    struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
    struct __user_cap_data_struct data[2] = {{0}};
    for (int half = 0; half < 2; half++)
        data[half].effective = data[half].permitted = (uint32_t)(effective >> 32 * half);
    RETURN(syscall(SYS_capset, &header, data));
}
long tc_become_capable(uint32_t uid, uint32_t gid, const uint32_t *groups, size_t count,
                       uint64_t capabilities) {
    if (prctl(PR_SET_KEEPCAPS, 1) != 0)
        return -(long)errno;
    long result = tc_become(uid, gid, groups, count);
    return result < 0 ? result : set_capabilities(capabilities);
}
long tc_unshare_files_state(void) { RETURN(unshare(CLONE_FS)); }
long tc_unshare_mounts(void) {
    if (unshare(CLONE_NEWNS) != 0 || mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0) return -errno;
    return 0;
}
long tc_unshare_cgroups(void) { RETURN(unshare(CLONE_NEWCGROUP)); }
long tc_memory_file(void) {
    int fd = memfd_create("test", MFD_CLOEXEC);
    return fd < 0 ? -(long)errno : fd;
}
long tc_unshare_users(void) { RETURN(unshare(CLONE_NEWUSER)); }

struct thread_body {
    void (*body)(void *);
    void *context;
};
static void *run_thread(void *raw) {
    struct thread_body *it = raw;
    it->body(it->context);
    return NULL;
}
long tc_on_thread(void (*body)(void *), void *context) {
    struct thread_body it = {body, context};
    pthread_t thread;
    int error = pthread_create(&thread, NULL, run_thread, &it);
    return -(long)(error ? error : pthread_join(thread, NULL));
}

long tc_spawn(const char *const *argv, int input, int output, int error, const char *directory) {
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    posix_spawn_file_actions_init(&actions);
    posix_spawnattr_init(&attributes);
    int wanted[3] = {input, output, error};
    for (int i = 0; i < 3; i++) {
        if (wanted[i] < 0)
            posix_spawn_file_actions_addopen(&actions, i, "/dev/null", O_RDWR, 0);
        else
            posix_spawn_file_actions_adddup2(&actions, wanted[i], i);
    }
    if (directory)
        posix_spawn_file_actions_addchdir_np(&actions, directory);
    // Whatever this process blocks or ignores, its children start clean.
    sigset_t none, all;
    sigemptyset(&none);
    sigfillset(&all);
    posix_spawnattr_setsigmask(&attributes, &none);
    posix_spawnattr_setsigdefault(&attributes, &all);
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
    pid_t pid = 0;
    int code = posix_spawnp(&pid, argv[0], &actions, &attributes, (char *const *)argv, environ);
    posix_spawn_file_actions_destroy(&actions);
    posix_spawnattr_destroy(&attributes);
    return code ? -(long)code : pid;
}

// Nothing here may use glibc's state: the child shares memory with this thread until it has executed.
long tc_execute(const char *path) {
    volatile int code = 0;
    const char *const arguments[] = {path, NULL};
    pid_t pid = vfork();
    if (pid == 0) {
        execve(path, (char *const *)arguments, (char *const *)(arguments + 1));
        code = errno;
        _exit(1);
    }
    if (pid < 0)
        return -(long)errno;
    int status = 0;
    while (waitpid(pid, &status, 0) < 0 && errno == EINTR) {
    }
    return code ? -(long)code : WIFEXITED(status) ? WEXITSTATUS(status) : 256;
}

long tc_reap(int pid) {
    int status = 0;
    pid_t result = waitpid(pid, &status, WNOHANG);
    return result < 0 ? -(long)errno : result == 0 ? -(long)EAGAIN : status;
}

static int64_t now(clockid_t clock) {
    struct timespec t;
    clock_gettime(clock, &t);
    return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}
int64_t tc_monotonic(void) { return now(CLOCK_MONOTONIC); }
int64_t tc_coarse_time(void) { return now(CLOCK_REALTIME_COARSE); }
const char *tc_errno_name(int code) { return strerrorname_np(code); }

long tc_refuse_calls(int first, int last, int error) {
    struct sock_filter program[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, (unsigned)first, 0, 2),
        BPF_JUMP(BPF_JMP | BPF_JGT | BPF_K, (unsigned)last, 1, 0),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | (unsigned)error),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    struct sock_fprog filter = {sizeof program / sizeof *program, program};
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) return -(long)errno;
    return syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &filter) == 0 ? 0 : -(long)errno;
}

int64_t tc_allocated(void) {
    struct mallinfo2 info = mallinfo2();
    return (int64_t)(info.uordblks + info.hblkhd);
}
