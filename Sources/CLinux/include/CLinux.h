// Linux system calls that Swift's Glibc module lacks, or that glibc wraps in a way we can't use.
//
// This header includes no system header but the two below: whatever it included would become part of this
// module, and clash with Glibc's own. Every function returns its value, or the negative errno, read with
// nothing in between. No function retries EINTR unless it says so: interrupting a request relies on that.
#ifndef CLINUX_H
#define CLINUX_H

#include <stddef.h>
#include <stdint.h>

#pragma clang assume_nonnull begin

// --- open.c -------------------------------------------------------------------------------------------

/// openat2(2). EAGAIN (a rename raced with a scoped resolution) is retried up to 16 times.
int32_t slx_openat2(int32_t directory, const char *path, uint64_t flags, uint64_t mode, uint64_t resolve);
int32_t slx_openat(int32_t directory, const char *path, int32_t flags, uint32_t mode);
/// Opens the very object of `fd` anew, by its link in /proc/self/fd.
int32_t slx_reopen(int32_t fd, int32_t flags);
/// close(2), errors ignored; Linux always frees the descriptor.
void slx_close(int32_t fd);
int32_t slx_dup(int32_t fd);
/// A file in memory, without a name.
int32_t slx_memory_file(void);
int32_t slx_get_flags(int32_t fd);
int32_t slx_set_flags(int32_t fd, int32_t flags);

// --- proc.c -------------------------------------------------------------------------------------------

/// The O_PATH descriptor of /proc/self/fd that the process holds, opened at first use.
int32_t slx_proc_fd(void);
/// Forgets that descriptor: it belongs to the parent of a forked process.
void slx_proc_fd_forget(void);

// --- status.c -----------------------------------------------------------------------------------------

struct slx_timestamp {
    int64_t seconds;
    uint32_t nanoseconds;
};

struct slx_status {
    uint64_t inode;
    uint64_t device;
    uint64_t special_device;
    uint64_t blocks;
    uint64_t attributes;
    uint64_t mount_id;
    int64_t size;
    uint32_t mode;
    uint32_t link_count;
    uint32_t uid;
    uint32_t gid;
    uint32_t block_size;
    uint32_t mask;
    struct slx_timestamp access;
    struct slx_timestamp modification;
    struct slx_timestamp change;
    struct slx_timestamp birth;
};

/// statx(2), flattened, devices packed as makedev(3) does.
int32_t slx_statx(int32_t directory, const char *path, int32_t flags, uint32_t mask, struct slx_status *out);

struct slx_file_system {
    int64_t type;
    uint64_t block_size;
    uint64_t fragment_size;
    uint64_t blocks;
    uint64_t blocks_free;
    uint64_t blocks_available;
    uint64_t files;
    uint64_t files_free;
    uint64_t name_length;
    uint64_t id;
    uint64_t flags;
};

int32_t slx_fstatfs(int32_t fd, struct slx_file_system *out);
/// faccessat2(2) with the effective ids, on the very object of `fd`.
int32_t slx_access(int32_t fd, int32_t mode);

// --- entries.c ----------------------------------------------------------------------------------------

int32_t slx_mknodat(int32_t directory, const char *name, uint32_t mode, uint64_t device);
int32_t slx_mkdirat(int32_t directory, const char *name, uint32_t mode);
int32_t slx_symlinkat(const char *target, int32_t directory, const char *name);
/// A further name for the very object of `fd`, by its link in /proc/self/fd.
int32_t slx_link_fd(int32_t fd, int32_t directory, const char *name);
int32_t slx_unlinkat(int32_t directory, const char *name, int32_t flags);
int32_t slx_renameat2(
    int32_t from, const char *from_name, int32_t to, const char *to_name, uint32_t flags);
int64_t slx_readlinkat(int32_t directory, const char *name, void *_Nullable buffer, size_t size);

// --- attributes.c -------------------------------------------------------------------------------------

int32_t slx_chmod_fd(int32_t fd, uint32_t mode);
int32_t slx_chown_fd(int32_t fd, uint32_t uid, uint32_t gid);
/// How a time changes: `how` is 0 to set it, 1 for now, 2 to leave it.
struct slx_time_change {
    int64_t seconds;
    uint32_t nanoseconds;
    uint32_t how;
};
int32_t slx_utimens_fd(int32_t fd, struct slx_time_change access, struct slx_time_change modification);
int32_t slx_ftruncate(int32_t fd, int64_t size);
/// truncate(2) of the very object of `fd`, which may be O_PATH.
int32_t slx_truncate_fd(int32_t fd, int64_t size);

// --- xattr.c: on the object of `fd` (empty name), or on `name` in the directory `fd`, links not followed --

int64_t slx_getxattr(
    int32_t fd, const char *at, const char *name, void *_Nullable value, size_t size);
int32_t slx_setxattr(
    int32_t fd, const char *at, const char *name, const void *_Nullable value, size_t size, int32_t flags);
int32_t slx_removexattr(int32_t fd, const char *at, const char *name);
int64_t slx_listxattr(int32_t fd, const char *at, void *_Nullable list, size_t size);

// --- data.c -------------------------------------------------------------------------------------------

int64_t slx_read(int32_t fd, void *_Nullable buffer, size_t size);
int64_t slx_write(int32_t fd, const void *_Nullable buffer, size_t size);
/// Whether reads and writes of the open file fail with EAGAIN rather than wait.
int32_t slx_set_nonblocking(int32_t fd, int32_t on);
int64_t slx_pread(int32_t fd, void *_Nullable buffer, size_t size, int64_t offset);
int64_t slx_pwrite(int32_t fd, const void *_Nullable buffer, size_t size, int64_t offset);
/// At the end of the file, wherever that is by then. EOPNOTSUPP where the file's kind can't.
int64_t slx_append(int32_t fd, const void *_Nullable buffer, size_t size);
int32_t slx_fsync(int32_t fd, int32_t data_only);
int32_t slx_fallocate(int32_t fd, int32_t mode, int64_t offset, int64_t length);
int64_t slx_lseek(int32_t fd, int64_t offset, int32_t whence);
int64_t slx_copy_file_range(int32_t from, int64_t from_offset, int32_t to, int64_t to_offset, size_t length);
int32_t slx_ioctl(int32_t fd, uint32_t command, void *_Nullable argument);
/// Whether the directory is known not to take names that differ in case for one. It must be open for reading.
int32_t slx_distinguishes_case(int32_t fd);
int32_t slx_ioctl_value(int32_t fd, uint32_t command, uint64_t argument);
/// poll(2) of one descriptor: the events that came, 0 after `timeout` milliseconds (-1: none).
int32_t slx_poll(int32_t fd, int16_t events, int32_t timeout);
int64_t slx_getdents64(int32_t fd, void *buffer, size_t size);

// --- lock.c -------------------------------------------------------------------------------------------

int32_t slx_flock(int32_t fd, int32_t operation);
/// A byte-range lock of the open file: type F_RDLCK, F_WRLCK or F_UNLCK; start from the file's beginning.
struct slx_lock {
    int64_t start;
    int64_t length;
    int32_t type;
    int32_t pid;
};
int32_t slx_lock_get(int32_t fd, struct slx_lock *lock);
int32_t slx_lock_set(int32_t fd, const struct slx_lock *lock, int32_t wait);

// --- handle.c -----------------------------------------------------------------------------------------

/// Longest file handle, as MAX_HANDLE_SZ in <fcntl.h>.
#define SLX_HANDLE_BYTES 128
int32_t slx_name_to_handle(int32_t fd, void *bytes, uint32_t *length, int32_t *type);

// --- namespaces.c -------------------------------------------------------------------------------------

/// Bits of a set of namespaces.
#define SLX_NAMESPACE_USER 1
#define SLX_NAMESPACE_MOUNT 2
#define SLX_NAMESPACE_COUNT 8

/// Which of the `asked` namespaces of a thread aren't this process's; with the mount namespace counts the root
/// directory. ENOENT, ESRCH: no such thread is shown; EACCES: it can't be seen.
int32_t slx_foreign_namespaces(int32_t thread, uint32_t asked);
/// The thread's number in its own pid namespace.
int32_t slx_innermost_number(int32_t thread);
/// Of a proc filesystem's root directory: 1 where it numbers processes as /proc does.
int32_t slx_numbers_as_here(int32_t proc);

// --- agent.c: a call made by a process of its own, in another thread's namespaces ----------------------

enum { SLX_AGENT_OPEN, SLX_AGENT_LOOK, SLX_AGENT_READ, SLX_AGENT_READ_LINK, SLX_AGENT_LIST, SLX_AGENT_WRITE };

struct slx_agent_call {
    int32_t operation;
    /// Whose namespaces are entered, and which.
    int32_t thread;
    uint32_t namespaces;
    uint32_t uid, gid;
    const uint32_t *_Nullable groups;
    int32_t group_count;
    int32_t is_stream;
    /// Effective ones, in the user namespace where the call is made.
    uint64_t capabilities;
    /// The open file, or the directory that `path` starts from, beneath which it stays.
    int32_t object;
    const char *_Nullable path;
    int32_t flags;
    int64_t offset;
    void *_Nullable buffer;
    size_t size;
};

/// The call's value or negative errno. `opened`: the descriptor that an open gave, else -1. EINTR: it was interrupted,
/// or the process killed.
int64_t slx_agent_call(const struct slx_agent_call *call, int32_t *opened);

// --- credentials.c: raw system calls, for glibc's wrappers change all threads at once ---------------------

uint32_t slx_geteuid(void);
uint32_t slx_getegid(void);
int32_t slx_set_effective_uid(uint32_t uid);
int32_t slx_set_effective_gid(uint32_t gid);
int32_t slx_getgroups(uint32_t *_Nullable groups, int32_t count);
int32_t slx_setgroups(const uint32_t *_Nullable groups, int32_t count);
uint32_t slx_umask(uint32_t mask);
int32_t slx_unshare_fs(void);
struct slx_capabilities {
    uint64_t effective;
    uint64_t permitted;
    uint64_t inheritable;
};
/// capget(2) of a thread; 0: the calling one.
int32_t slx_capabilities(int32_t thread, struct slx_capabilities *capabilities);
/// capset(2) of the calling thread.
int32_t slx_set_capabilities(const struct slx_capabilities *capabilities);
/// Whether ids can change without the capabilities following (SECBIT_NO_SETUID_FIXUP).
int32_t slx_keeps_capabilities(void);

// --- process.c ----------------------------------------------------------------------------------------

int32_t slx_fork(void);
int32_t slx_getpid(void);
int32_t slx_setsid(void);
int32_t slx_chdir(const char *path);
/// Standard input, output and error become /dev/null.
int32_t slx_close_standard_streams(void);
int32_t slx_pipe(int32_t *reading, int32_t *writing);
/// How many processors this process may run on.
int32_t slx_processor_count(void);
int32_t slx_raise_open_files(uint64_t *soft, uint64_t *hard);
int64_t slx_random(void *buffer, size_t size);

// --- thread.c -----------------------------------------------------------------------------------------

int32_t slx_thread_start(
    uint64_t *thread, const char *name, size_t stack_size, void *_Nullable (*_Nonnull body)(void *_Nullable),
    void *context);
int32_t slx_thread_join(uint64_t thread);
/// How long the calling thread wants to run at a time, by sched_setattr(2).
int32_t slx_thread_set_slice(uint64_t nanoseconds);
/// A table of open files of the calling thread's own, with nothing in it.
int32_t slx_leave_open_files(void);
/// unshare(2) with CLONE_FS: a working directory of the thread's own.
int32_t slx_own_working_directory(void);
int32_t slx_fchdir(int32_t fd);
int32_t slx_thread_detach(uint64_t thread);
int32_t slx_thread_signal(uint64_t thread, int32_t signal);
int32_t slx_gettid(void);
int32_t slx_tgkill(int32_t thread, int32_t signal);

// --- signal.c: a set is a bit mask, signal n at bit n - 1 ------------------------------------------------

int32_t slx_signal_block(uint64_t set, int32_t block);
/// Takes one pending signal of the set; timeout in milliseconds, -1 for none; -EAGAIN when it ran out.
int32_t slx_signal_wait(uint64_t set, int32_t timeout);
/// Installs an empty handler without SA_RESTART, so that the signal only interrupts a system call.
int32_t slx_signal_interrupts(int32_t signal);
int32_t slx_signal_ignore(int32_t signal);

/// Whether the thread is in a system call that removes a directory, or asks whether it may be written to, as rm(1) does on a
/// terminal before that. 0 also where /proc doesn't tell.
int32_t slx_thread_removes_directory(int32_t thread);
/// Whether the thread is in a system call that makes a name and does nothing else: mkdir(2), mknod(2), symlink(2), link(2).
int32_t slx_thread_makes_name(int32_t thread);
/// Whether the thread waits in fcntl(2) with F_OFD_SETLKW.
int32_t slx_thread_waits_for_open_file_lock(int32_t thread);

// --- mount.c ------------------------------------------------------------------------------------------

int32_t slx_mount(
    const char *source, const char *target, const char *type, uint64_t flags, const char *_Nullable options);
int32_t slx_umount(const char *target, int32_t flags);
/// A descriptor, O_PATH, of the same object on a mount that nobody else has, like its own but for the attributes
/// (MOUNT_ATTR_*) that are taken away and set. The mount ends with the last file that was opened by it.
int32_t slx_clone_mount(int32_t fd, uint64_t set, uint64_t cleared);
/// The same for the mount that `path` leads to, and with its own attributes.
int32_t slx_clone_mount_at(const char *path);
/// Mounts by fusermount3; the descriptor of /dev/fuse that it sends. -EPERM when it refused. What it says on
/// standard error is put into `message`, with a NUL behind, as far as there is room.
int32_t slx_fusermount(const char *target, const char *options, char *_Nullable message, size_t size);
int32_t slx_fusermount_unmount(const char *target, int32_t lazy);

// --- socket.c: stream sockets in Linux's abstract namespace ----------------------------------------------

int32_t slx_socket_listen(const char *name, size_t length, int32_t backlog);
int32_t slx_socket_connect(const char *name, size_t length);
int32_t slx_socket_accept(int32_t fd);
int32_t slx_socket_shut_down(int32_t fd);
int32_t slx_socket_peer(int32_t fd, int32_t *pid, uint32_t *uid, uint32_t *gid);
/// send(2) without SIGPIPE.
int64_t slx_socket_send(int32_t fd, const void *bytes, size_t size);
/// One SCM_RIGHTS descriptor, close-on-exec. -EPROTO when none came.
int32_t slx_socket_receive_descriptor(int32_t fd);

// --- events.c -----------------------------------------------------------------------------------------

struct slx_event {
    uint64_t token;
    uint32_t events;
};
int32_t slx_epoll_create(void);
/// `operation`: 1 add, 2 remove, 3 modify (EPOLL_CTL_*).
int32_t slx_epoll_control(int32_t epoll, int32_t operation, int32_t fd, uint32_t events, uint64_t token);
/// At most 64 events at a time.
int32_t slx_epoll_wait(int32_t epoll, struct slx_event *events, int32_t count, int32_t timeout);
int32_t slx_eventfd(void);
int32_t slx_inotify_create(void);
/// Watches the very object of `fd`.
int32_t slx_inotify_add(int32_t inotify, int32_t fd, uint32_t mask);
/// `name` is in the calling thread's working directory.
int32_t slx_inotify_add_here(int32_t inotify, const char *name, uint32_t mask);
int32_t slx_inotify_remove(int32_t inotify, int32_t watch);

#pragma clang assume_nonnull end

#endif
