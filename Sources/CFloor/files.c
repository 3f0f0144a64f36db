// What is in files and directories.
#define _GNU_SOURCE
#include <CFuseShims.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "operations.h"
#include "tree.h"

// --- open files

/// Nothing has to be found again by a handle, and nothing is due when a file is closed.
static void set_open(struct fuse_file_info *information) {
    information->fh = 0;
    information->keep_cache = 1;
    information->noflush = 1;
}

void floor_create(
    fuse_req_t request, fuse_ino_t parent, const char *name, mode_t mode, struct fuse_file_info *information) {
    struct fuse_entry_param entry;
    tree_enter();
    struct node *node = make(request, parent, name, S_IFREG | mode);
    if (node != NULL) entry = tell(node);
    tree_leave();
    if (node == NULL) {
        fuse_reply_err(request, EEXIST);
        return;
    }
    set_open(information);
    fuse_reply_create(request, &entry, information);
}

void floor_open(fuse_req_t request, fuse_ino_t id, struct fuse_file_info *information) {
    if (information->flags & O_TRUNC) {
        tree_enter();
        change_attributes(node_of(id), &(struct stat){.st_size = 0}, FUSE_SET_ATTR_SIZE);
        tree_leave();
    }
    set_open(information);
    fuse_reply_open(request, information);
}

void floor_release(fuse_req_t request, fuse_ino_t id, struct fuse_file_info *information) {
    (void)id, (void)information;
    fuse_reply_err(request, 0);
}

/// The answer goes out of the tree's own memory, so the tree is locked until it has gone.
void floor_read(
    fuse_req_t request, fuse_ino_t id, size_t size, off_t offset, struct fuse_file_info *information) {
    (void)information;
    struct node *node = node_of(id);
    tree_enter();
    size_t start = (size_t)offset, end = (size_t)node->attributes.st_size;
    size_t count = start >= end ? 0 : end - start < size ? end - start : size;
    fuse_reply_buf(request, count == 0 ? NULL : node->contents + start, count);
    tree_leave();
}

void floor_write(
    fuse_req_t request, fuse_ino_t id, const char *data, size_t size, off_t offset,
    struct fuse_file_info *information) {
    (void)information;
    struct node *node = node_of(id);
    size_t start = (size_t)offset;
    int error = 0;
    tree_enter();
    if (start + size > (size_t)node->attributes.st_size) error = tree_resize(node, start + size);
    if (error == 0) {
        memcpy(node->contents + start, data, size);
        node->attributes.st_mtim = node->attributes.st_ctim = tree_now();
    }
    tree_leave();
    if (error != 0) {
        fuse_reply_err(request, error);
    } else {
        fuse_reply_write(request, size);
    }
}

// --- listing

/// The kernel opens directories itself from here on, and keeps their listings.
void floor_opendir(fuse_req_t request, fuse_ino_t id, struct fuse_file_info *information) {
    (void)id, (void)information;
    fuse_reply_err(request, ENOSYS);
}

/// The bytes that a name takes; more than `room`: it wasn't added. `node` nil: one of the dots, which aren't told of.
static size_t add_name(
    fuse_req_t request, char *buffer, size_t room, const char *name, struct node *node, off_t next,
    int tells_of_nodes) {
    struct fuse_entry_param entry = {.attr = {.st_ino = 1, .st_mode = S_IFDIR}};
    if (node != NULL) entry.attr = node->attributes;
    if (!tells_of_nodes) return fuse_add_direntry(request, buffer, room, name, &entry.attr, next);
    if (node != NULL) entry = tell(node);
    size_t size = fuse_add_direntry_plus(request, buffer, room, name, &entry, next);
    if (node != NULL && size > room) node->lookups--;
    return size;
}

/// Offset 1 is behind the first dot, and 2 before the first entry.
static void list(fuse_req_t request, fuse_ino_t id, size_t size, off_t offset, int tells_of_nodes) {
    struct workplace *workplace = sfs_thread_context();
    struct node *directory = node_of(id);
    size_t room = size < LARGEST_DATA ? size : LARGEST_DATA, used = 0;
    tree_enter();
    for (size_t at = (size_t)offset; at < directory->order_count + 2; at++) {
        struct entry *entry = at < 2 ? NULL : directory->order[at - 2];
        if (at >= 2 && entry == NULL) continue;
        const char *name = entry != NULL ? entry->name : at == 0 ? "." : "..";
        struct node *node = entry != NULL ? entry->node : NULL;
        size_t taken = add_name(
            request, workplace->output + used, room - used, name, node, (off_t)at + 1, tells_of_nodes);
        if (taken > room - used) break;
        used += taken;
    }
    tree_leave();
    fuse_reply_buf(request, workplace->output, used);
}

void floor_readdir(
    fuse_req_t request, fuse_ino_t id, size_t size, off_t offset, struct fuse_file_info *information) {
    (void)information;
    list(request, id, size, offset, 0);
}

void floor_readdirplus(
    fuse_req_t request, fuse_ino_t id, size_t size, off_t offset, struct fuse_file_info *information) {
    (void)information;
    list(request, id, size, offset, 1);
}

// --- extended attributes: there could be some, but there are none

void floor_getxattr(fuse_req_t request, fuse_ino_t id, const char *name, size_t size) {
    (void)id, (void)size;
    // No security module marks files in it, so programs needn't ask about the next one.
    fuse_reply_err(request, strcmp(name, "security.selinux") == 0 ? EOPNOTSUPP : ENODATA);
}

void floor_listxattr(fuse_req_t request, fuse_ino_t id, size_t size) {
    (void)id;
    if (size == 0) {
        fuse_reply_xattr(request, 0);
    } else {
        fuse_reply_buf(request, NULL, 0);
    }
}
