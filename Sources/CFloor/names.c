// Names and attributes.
#define _GNU_SOURCE
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "operations.h"
#include "tree.h"

/// Answers with a node, or an error. The tree isn't locked any more.
static void answer(fuse_req_t request, int error, const struct fuse_entry_param *entry) {
    if (error != 0) {
        fuse_reply_err(request, error);
    } else {
        fuse_reply_entry(request, entry);
    }
}

// --- looking

void floor_lookup(fuse_req_t request, fuse_ino_t parent, const char *name) {
    tree_enter();
    struct entry *found = tree_find(node_of(parent), name);
    // Node 0 is a name that isn't there, kept like others.
    struct fuse_entry_param entry = {.entry_timeout = for_good};
    if (found != NULL) entry = tell(found->node);
    tree_leave();
    fuse_reply_entry(request, &entry);
}

static void forget(fuse_ino_t id, uint64_t count) {
    struct node *node = node_of(id);
    tree_enter();
    node->lookups -= count < node->lookups ? count : node->lookups;
    tree_release(node);
    tree_leave();
}

void floor_forget(fuse_req_t request, fuse_ino_t id, uint64_t count) {
    forget(id, count);
    fuse_reply_none(request);
}

void floor_forget_multi(fuse_req_t request, size_t count, struct fuse_forget_data *forgets) {
    for (size_t index = 0; index < count; index++) forget(forgets[index].ino, forgets[index].nlookup);
    fuse_reply_none(request);
}

void floor_getattr(fuse_req_t request, fuse_ino_t id, struct fuse_file_info *information) {
    (void)information;
    tree_enter();
    struct stat attributes = node_of(id)->attributes;
    tree_leave();
    fuse_reply_attr(request, &attributes, for_good);
}

void floor_readlink(fuse_req_t request, fuse_ino_t id) {
    fuse_reply_readlink(request, node_of(id)->contents);
}

// --- changing attributes

int change_attributes(struct node *node, const struct stat *to, int what) {
    struct stat *now = &node->attributes;
    if (what & FUSE_SET_ATTR_SIZE) {
        int error = tree_resize(node, (size_t)to->st_size);
        if (error != 0) return error;
        now->st_mtim = tree_now();
    }
    if (what & FUSE_SET_ATTR_MODE) now->st_mode = (now->st_mode & S_IFMT) | (to->st_mode & 07777);
    if (what & FUSE_SET_ATTR_UID) now->st_uid = to->st_uid;
    if (what & FUSE_SET_ATTR_GID) now->st_gid = to->st_gid;
    if (what & FUSE_SET_ATTR_ATIME) now->st_atim = to->st_atim;
    if (what & FUSE_SET_ATTR_ATIME_NOW) now->st_atim = tree_now();
    if (what & FUSE_SET_ATTR_MTIME) now->st_mtim = to->st_mtim;
    if (what & FUSE_SET_ATTR_MTIME_NOW) now->st_mtim = tree_now();
    now->st_ctim = tree_now();
    return 0;
}

void floor_setattr(
    fuse_req_t request, fuse_ino_t id, struct stat *to, int what, struct fuse_file_info *information) {
    (void)information;
    tree_enter();
    int error = change_attributes(node_of(id), to, what);
    struct stat attributes = node_of(id)->attributes;
    tree_leave();
    if (error != 0) {
        fuse_reply_err(request, error);
    } else {
        fuse_reply_attr(request, &attributes, for_good);
    }
}

// --- making

/// Names went from a directory, or came.
static void touch(struct node *directory) {
    directory->attributes.st_mtim = directory->attributes.st_ctim = tree_now();
}

struct node *make(fuse_req_t request, fuse_ino_t parent, const char *name, mode_t mode) {
    struct node *directory = node_of(parent);
    if (tree_find(directory, name) != NULL) return NULL;
    const struct fuse_ctx *caller = fuse_req_ctx(request);
    struct timespec now = tree_now();
    struct node *node = tree_make(&(struct stat){
        .st_mode = S_ISLNK(mode) ? mode : mode & ~caller->umask,
        .st_nlink = S_ISDIR(mode) ? 2 : 1,
        .st_uid = caller->uid,
        .st_gid = caller->gid,
        .st_blksize = 4096,
        .st_atim = now,
        .st_mtim = now,
        .st_ctim = now,
    });
    tree_add(directory, name, node);
    if (S_ISDIR(mode)) directory->attributes.st_nlink++;
    touch(directory);
    return node;
}

void floor_mknod(fuse_req_t request, fuse_ino_t parent, const char *name, mode_t mode, dev_t device) {
    struct fuse_entry_param entry;
    tree_enter();
    struct node *node = make(request, parent, name, mode);
    if (node != NULL) {
        node->attributes.st_rdev = device;
        entry = tell(node);
    }
    tree_leave();
    answer(request, node == NULL ? EEXIST : 0, &entry);
}

void floor_mkdir(fuse_req_t request, fuse_ino_t parent, const char *name, mode_t mode) {
    floor_mknod(request, parent, name, S_IFDIR | mode, 0);
}

void floor_symlink(fuse_req_t request, const char *target, fuse_ino_t parent, const char *name) {
    struct fuse_entry_param entry;
    tree_enter();
    struct node *node = make(request, parent, name, S_IFLNK | 0777);
    if (node != NULL) {
        node->contents = strdup(target);
        node->attributes.st_size = (off_t)strlen(target);
        entry = tell(node);
    }
    tree_leave();
    answer(request, node == NULL ? EEXIST : 0, &entry);
}

void floor_link(fuse_req_t request, fuse_ino_t id, fuse_ino_t parent, const char *name) {
    struct fuse_entry_param entry;
    struct node *node = node_of(id), *directory = node_of(parent);
    tree_enter();
    int error = tree_find(directory, name) != NULL ? EEXIST : 0;
    if (error == 0) {
        tree_add(directory, name, node);
        node->attributes.st_nlink++;
        node->attributes.st_ctim = tree_now();
        touch(directory);
        entry = tell(node);
    }
    tree_leave();
    answer(request, error, &entry);
}

// --- removing and renaming

/// Takes the name away, and the node if that was its last.
static int remove_name(struct node *directory, struct entry *entry, int wants_directory) {
    struct node *node = entry->node;
    int is_directory = S_ISDIR(node->attributes.st_mode);
    if (is_directory != wants_directory) return is_directory ? EISDIR : ENOTDIR;
    if (node->entry_count > 0) return ENOTEMPTY;
    tree_detach(directory, entry);
    node->attributes.st_nlink -= is_directory ? 2 : 1;
    node->attributes.st_ctim = tree_now();
    if (is_directory) directory->attributes.st_nlink--;
    touch(directory);
    tree_release(node);
    return 0;
}

static void answer_removal(fuse_req_t request, fuse_ino_t parent, const char *name, int wants_directory) {
    tree_enter();
    struct entry *entry = tree_find(node_of(parent), name);
    int error = entry == NULL ? ENOENT : remove_name(node_of(parent), entry, wants_directory);
    tree_leave();
    fuse_reply_err(request, error);
}

void floor_unlink(fuse_req_t request, fuse_ino_t parent, const char *name) {
    answer_removal(request, parent, name, 0);
}

void floor_rmdir(fuse_req_t request, fuse_ino_t parent, const char *name) {
    answer_removal(request, parent, name, 1);
}

static int rename_name(
    struct node *from, const char *name, struct node *to, const char *new_name, unsigned flags) {
    if ((flags & ~(unsigned)RENAME_NOREPLACE) != 0) return EINVAL;
    struct entry *entry = tree_find(from, name);
    if (entry == NULL) return ENOENT;
    struct node *node = entry->node;
    int is_directory = S_ISDIR(node->attributes.st_mode);
    struct entry *replaced = tree_find(to, new_name);
    if (replaced != NULL) {
        if (flags & RENAME_NOREPLACE) return EEXIST;
        if (replaced->node == node) return 0;
        int error = remove_name(to, replaced, is_directory);
        if (error != 0) return error;
    }
    tree_detach(from, entry);
    tree_add(to, new_name, node);
    if (is_directory) {
        from->attributes.st_nlink--;
        to->attributes.st_nlink++;
    }
    node->attributes.st_ctim = tree_now();
    touch(from);
    touch(to);
    return 0;
}

void floor_rename(
    fuse_req_t request, fuse_ino_t parent, const char *name, fuse_ino_t new_parent, const char *new_name,
    unsigned flags) {
    tree_enter();
    int error = rename_name(node_of(parent), name, node_of(new_parent), new_name, flags);
    tree_leave();
    fuse_reply_err(request, error);
}
