// The index of what the kernel can ask of the floor.
//
// Nobody else changes the tree, so the kernel keeps all that it is told for good. It is asked what it would ask of any
// file system that has extended attributes and passes OPEN on; each answer is what lies in memory.
#include "operations.h"

#include <CFuseShims.h>

#include "tree.h"

struct node *node_of(fuse_ino_t id) { return id == FUSE_ROOT_ID ? &root : (struct node *)(uintptr_t)id; }

struct fuse_entry_param tell(struct node *node) {
    node->lookups++;
    return (struct fuse_entry_param){
        .ino = (fuse_ino_t)(uintptr_t)node,
        .attr = node->attributes,
        .attr_timeout = for_good,
        .entry_timeout = for_good,
    };
}

static void floor_init(void *userdata, struct fuse_conn_info *connection) {
    (void)userdata;
    const struct sfs_features features = {
        .keeps_targets = 1, .keeps_listings = 1, .max_write = LARGEST_DATA, .max_background = 16384};
    sfs_negotiate(connection, &features);
}

const struct fuse_lowlevel_ops floor_operations = {
    .init = floor_init,
    .lookup = floor_lookup,
    .forget = floor_forget,
    .forget_multi = floor_forget_multi,
    .getattr = floor_getattr,
    .setattr = floor_setattr,
    .readlink = floor_readlink,
    .mknod = floor_mknod,
    .mkdir = floor_mkdir,
    .symlink = floor_symlink,
    .link = floor_link,
    .unlink = floor_unlink,
    .rmdir = floor_rmdir,
    .rename = floor_rename,
    .create = floor_create,
    .open = floor_open,
    .release = floor_release,
    .read = floor_read,
    .write = floor_write,
    .opendir = floor_opendir,
    .readdir = floor_readdir,
    .readdirplus = floor_readdirplus,
    .getxattr = floor_getxattr,
    .listxattr = floor_listxattr,
};
