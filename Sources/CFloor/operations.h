// What the kernel asks of the floor.
#pragma once

#include <stddef.h>

#include "../CFuse3/fuse3.h"

struct node;

/// The most bytes of one READ or WRITE.
#define LARGEST_DATA (1 << 20)

/// In seconds.
static const double for_good = 1e9;

/// What an operation finds of its thread, by `sfs_thread_context`.
struct workplace {
    /// Room for an answer, LARGEST_DATA bytes.
    char *output;
};

extern const struct fuse_lowlevel_ops floor_operations;

struct node *node_of(fuse_ino_t id);
/// What the kernel is told of a node, which it knows then. The tree is locked.
struct fuse_entry_param tell(struct node *node);

// --- names.c

/// A new node of the caller's with a name; NULL where there is one of that name. The tree is locked.
struct node *make(fuse_req_t request, fuse_ino_t parent, const char *name, mode_t mode);
/// What SETATTR does; `what` is FUSE_SET_ATTR_*. The tree is locked. 0, or an errno.
int change_attributes(struct node *node, const struct stat *to, int what);

void floor_lookup(fuse_req_t request, fuse_ino_t parent, const char *name);
void floor_forget(fuse_req_t request, fuse_ino_t id, uint64_t count);
void floor_forget_multi(fuse_req_t request, size_t count, struct fuse_forget_data *forgets);
void floor_getattr(fuse_req_t request, fuse_ino_t id, struct fuse_file_info *information);
void floor_readlink(fuse_req_t request, fuse_ino_t id);
void floor_setattr(fuse_req_t request, fuse_ino_t id, struct stat *to, int what, struct fuse_file_info *information);
void floor_mknod(fuse_req_t request, fuse_ino_t parent, const char *name, mode_t mode, dev_t device);
void floor_mkdir(fuse_req_t request, fuse_ino_t parent, const char *name, mode_t mode);
void floor_symlink(fuse_req_t request, const char *target, fuse_ino_t parent, const char *name);
void floor_link(fuse_req_t request, fuse_ino_t id, fuse_ino_t parent, const char *name);
void floor_unlink(fuse_req_t request, fuse_ino_t parent, const char *name);
void floor_rmdir(fuse_req_t request, fuse_ino_t parent, const char *name);
void floor_rename(
    fuse_req_t request, fuse_ino_t parent, const char *name, fuse_ino_t new_parent, const char *new_name,
    unsigned flags);

// --- files.c

void floor_create(
    fuse_req_t request, fuse_ino_t parent, const char *name, mode_t mode, struct fuse_file_info *information);
void floor_open(fuse_req_t request, fuse_ino_t id, struct fuse_file_info *information);
void floor_release(fuse_req_t request, fuse_ino_t id, struct fuse_file_info *information);
void floor_read(fuse_req_t request, fuse_ino_t id, size_t size, off_t offset, struct fuse_file_info *information);
void floor_write(
    fuse_req_t request, fuse_ino_t id, const char *data, size_t size, off_t offset,
    struct fuse_file_info *information);
void floor_opendir(fuse_req_t request, fuse_ino_t id, struct fuse_file_info *information);
void floor_readdir(fuse_req_t request, fuse_ino_t id, size_t size, off_t offset, struct fuse_file_info *information);
void floor_readdirplus(
    fuse_req_t request, fuse_ino_t id, size_t size, off_t offset, struct fuse_file_info *information);
void floor_getxattr(fuse_req_t request, fuse_ino_t id, const char *name, size_t size);
void floor_listxattr(fuse_req_t request, fuse_ino_t id, size_t size);
