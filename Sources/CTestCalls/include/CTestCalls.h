#pragma once
#include <stddef.h>
#include <stdint.h>

// The system calls that the tests make, raw: each returns the call's value or -errno, and no
// wrapper retries, follows or corrects anything.

typedef struct {
    uint64_t device, inode, size, blocks, special;
    uint32_t mode, links, uid, gid, block_size;
    int64_t accessed, modified, changed; // nanoseconds
} tc_status;

typedef struct {
    int64_t type;
    uint64_t block_size, blocks, blocks_free, files, files_free, name_length;
} tc_fs_status;

long tc_stat(int dir, const char *path, int flags, tc_status *out);
long tc_statfs(const char *path, tc_fs_status *out);
long tc_open(int dir, const char *path, int flags, unsigned mode);
long tc_close(int fd);
long tc_read(int fd, void *to, size_t count);
long tc_write(int fd, const void *from, size_t count);
long tc_pread(int fd, void *to, size_t count, int64_t at);
long tc_pwrite(int fd, const void *from, size_t count, int64_t at);
long tc_seek(int fd, int64_t offset, int whence);
long tc_set_flags(int fd, int flags);
long tc_ftruncate(int fd, int64_t size);
long tc_truncate(const char *path, int64_t size);
long tc_fallocate(int fd, int mode, int64_t offset, int64_t length);
long tc_copy_range(int from, int64_t from_at, int to, int64_t to_at, size_t length);
long tc_fsync(int fd);
long tc_mkdir(int dir, const char *path, unsigned mode);
long tc_mknod(int dir, const char *path, unsigned mode, unsigned major, unsigned minor);
long tc_symlink(const char *target, const char *path);
long tc_link(int from_dir, const char *from, const char *to, int flags);
long tc_unlink(int dir, const char *path, int flags);
long tc_rename(const char *from, const char *to, unsigned flags);
long tc_readlink(const char *path, char *to, size_t count);
long tc_chmod(const char *path, unsigned mode);
long tc_fchmod(int fd, unsigned mode);
long tc_chown(const char *path, uint32_t uid, uint32_t gid, int flags);
long tc_fchown(int fd, uint32_t uid, uint32_t gid);
// A time of INT64_MAX means now, INT64_MIN leave alone.
long tc_utimens(const char *path, int64_t accessed, int64_t modified, int flags);
long tc_futimens(int fd, int64_t accessed, int64_t modified);
long tc_access(const char *path, int mode);
long tc_getxattr(const char *path, const char *name, void *to, size_t count);
long tc_setxattr(const char *path, const char *name, const void *from, size_t count, int flags);
long tc_removexattr(const char *path, const char *name);
long tc_listxattr(const char *path, char *to, size_t count);
long tc_fgetxattr(int fd, const char *name, void *to, size_t count);
long tc_getdents(int fd, void *to, size_t count);
long tc_map(int fd, int64_t offset, size_t length, int writable, void **out);
long tc_unmap(void *at, size_t length);
long tc_msync(void *at, size_t length);
long tc_poll(int fd, short events, int milliseconds);
long tc_epoll_create(void);
long tc_epoll_add(int epoll, int fd, uint32_t events);
long tc_epoll_wait(int epoll, int milliseconds);
long tc_flock(int fd, int operation);
// An open file description lock on the whole file: type is F_RDLCK, F_WRLCK or F_UNLCK.
long tc_ofd_lock(int fd, int type);
long tc_ioctl(int fd, unsigned long command, void *argument);
long tc_mount(const char *source, const char *target, const char *type, unsigned long flags,
              const char *options);
long tc_umount(const char *path, int flags);
long tc_pipe(int ends[2]);
long tc_kill(int pid, int signal);
long tc_chdir(const char *path);
unsigned tc_umask(unsigned mask);

// Per thread, by raw system calls: glibc's own would change every thread of the process.
long tc_become(uint32_t uid, uint32_t gid, const uint32_t *groups, size_t count);
// The same, keeping these capabilities, effective and permitted, and no others.
long tc_become_capable(uint32_t uid, uint32_t gid, const uint32_t *groups, size_t count,
                       uint64_t capabilities);
// A working directory and umask of this thread's own.
long tc_unshare_files_state(void);
// A user namespace for this process, which must have a single thread.
long tc_unshare_users(void);
// A mount namespace for this thread, from which nothing spreads.
long tc_unshare_mounts(void);
// A cgroup namespace for this thread.
long tc_unshare_cgroups(void);
// A file in memory without a name.
long tc_memory_file(void);
// Runs body on a new thread and waits for it to end.
long tc_on_thread(void (*body)(void *), void *context);

// Starts a program in this process's environment; argv ends with NULL. Descriptors of -1 are /dev/null.
long tc_spawn(const char *const *argv, int input, int output, int error, const char *directory);
// Executes the program as the calling thread's user, without arguments, and waits: its exit code.
long tc_execute(const char *path);
// The wait status when the child has ended; -EAGAIN while it runs.
long tc_reap(int pid);

int64_t tc_monotonic(void);
int64_t tc_coarse_time(void);
const char *tc_errno_name(int code);

// From here on the calling thread gets this error from the system calls with these numbers.
long tc_refuse_calls(int first, int last, int error);

// Bytes that are allocated in this process now.
int64_t tc_allocated(void);

// Who makes a call of `tc_act`, as a process of its own: in new namespaces (CLONE_NEW*), as that user, with all
// capabilities or, being root, with none.
typedef struct {
    int namespaces, capable;
    uint32_t uid, gid;
} tc_actor;

enum { TC_WRITE, TC_READ, TC_OPEN, TC_READ_LINK, TC_LIST };

// `argument`: of TC_WRITE what is written; "self" is the actor's own number, "other" that of one beside it in its
// namespace. Of TC_OPEN flags. TC_LIST: whether it can be read. `answer`: the error's name or "ok", what was read, and after a write the groups of both.
long tc_act(const tc_actor *who, const char *path, int kind, const char *argument, char *answer, size_t size);
