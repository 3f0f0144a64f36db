// A filesystem that lies, for tests: `switchfs-liar MOUNTPOINT` serves it in the foreground. Each name in its root is a
// lie of its own, said at every call; nothing is kept by the kernel.
#define FUSE_USE_VERSION 312
#include <errno.h>
#include <fuse_lowlevel.h>
#include <limits.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum lie {
    ROOT = 1,
    PLAIN,     // the truth, for comparison
    FAILING,   // EIO from everything
    POISON,    // an error that hardly anybody knows
    FULL,      // no space, quota or room to open anything
    NEGATIVE,  // a size below zero
    KINDLESS,  // a mode without a kind
    HUGE_FILE, // the largest size there is, times far away and out of range
    GONE,      // found, but stat says that it isn't there
    CUT,       // a link whose target holds a NUL
    ENDLESS,   // a link whose target is longer than a path may be
    TWICE,     // a directory that lists names twice, dots too
    SLASH,     // one that lists a path
    NAMELESS,  // one that lists the empty name
    WRONG,     // one whose entries are listed as other kinds, at odd offsets
    LOCKED,    // one that can't be opened
    SHORT,     // a file that is shorter than it says, whose writes write more than they got
    LIES,
    FLIP = 100, // another object of another kind at each lookup; their numbers follow
    SAME = 99,  // one object that is of another kind each time
};

static const char *const names[LIES] = {
    [PLAIN] = "plain",       [FAILING] = "failing",   [POISON] = "poison", [FULL] = "full",
    [NEGATIVE] = "negative", [KINDLESS] = "kindless", [HUGE_FILE] = "huge", [GONE] = "gone",
    [CUT] = "cut",           [ENDLESS] = "endless",   [TWICE] = "twice",   [SLASH] = "slash",
    [NAMELESS] = "nameless", [WRONG] = "wrong",       [LOCKED] = "locked", [SHORT] = "short",
};

static atomic_uint turn;

static mode_t kind_of(fuse_ino_t node) {
    static const mode_t kinds[] = {S_IFREG | 0644, S_IFDIR | 0755, S_IFLNK | 0777, S_IFIFO | 0644};
    if (node >= FLIP) return kinds[node % 4];
    if (node == SAME) return kinds[atomic_fetch_add(&turn, 1) % 4];
    switch (node) {
    case ROOT: case TWICE: case SLASH: case NAMELESS: case WRONG: case LOCKED: return S_IFDIR | 0755;
    case CUT: case ENDLESS: return S_IFLNK | 0777;
    case KINDLESS: return 0644;
    default: return S_IFREG | 0644;
    }
}

static int error_of(fuse_ino_t node) {
    switch (node) {
    case FAILING: return EIO;
    case POISON: return EHWPOISON;
    case FULL: return EDQUOT;
    case LOCKED: return ENOLINK;
    default: return 0;
    }
}

static struct stat status_of(fuse_ino_t node) {
    struct stat status = {.st_ino = node, .st_mode = kind_of(node), .st_nlink = 1, .st_size = 8};
    if (node == NEGATIVE) status.st_size = -1;
    if (node == HUGE_FILE) {
        status.st_size = INT64_MAX;
        status.st_mtim = (struct timespec){.tv_sec = INT64_MIN, .tv_nsec = 2000000000};
        status.st_blocks = INT64_MAX;
    }
    return status;
}

static void liar_lookup(fuse_req_t request, fuse_ino_t parent, const char *name) {
    struct fuse_entry_param entry = {0};
    if (!strcmp(name, "flip")) entry.ino = FLIP + atomic_fetch_add(&turn, 1);
    if (!strcmp(name, "same")) entry.ino = SAME;
    for (fuse_ino_t node = PLAIN; node < LIES && parent == ROOT; node++)
        if (!strcmp(name, names[node])) entry.ino = node;
    // In directories: what is listed is there, as a file.
    if (parent != ROOT && !strcmp(name, "entry")) entry.ino = PLAIN;
    if (entry.ino == 0) {
        fuse_reply_err(request, ENOENT);
        return;
    }
    entry.attr = status_of(entry.ino);
    fuse_reply_entry(request, &entry);
}

static void liar_getattr(fuse_req_t request, fuse_ino_t node, struct fuse_file_info *file) {
    (void)file;
    int error = node == GONE ? ENOENT : node == FAILING ? EIO : 0;
    if (error) {
        fuse_reply_err(request, error);
        return;
    }
    struct stat status = status_of(node);
    fuse_reply_attr(request, &status, 0);
}

static void liar_setattr(
    fuse_req_t request, fuse_ino_t node, struct stat *status, int what, struct fuse_file_info *file) {
    (void)status;
    (void)what;
    int error = error_of(node);
    if (error) {
        fuse_reply_err(request, error);
    } else {
        liar_getattr(request, node, file);
    }
}

static void liar_readlink(fuse_req_t request, fuse_ino_t node) {
    static char target[8192];
    memset(target, 'x', sizeof target);
    if (node == CUT) target[1] = 0;
    fuse_reply_buf(request, target, node == CUT ? 3 : sizeof target);
}

static void liar_open(fuse_req_t request, fuse_ino_t node, struct fuse_file_info *file) {
    int error = error_of(node);
    if (error) {
        fuse_reply_err(request, error);
        return;
    }
    file->direct_io = 1;
    fuse_reply_open(request, file);
}

static void liar_read(
    fuse_req_t request, fuse_ino_t node, size_t size, off_t offset, struct fuse_file_info *file) {
    (void)file;
    (void)size;
    if (node == SHORT || offset != 0) {
        fuse_reply_buf(request, NULL, 0);
    } else {
        fuse_reply_buf(request, "content\n", 8);
    }
}

static void liar_write(
    fuse_req_t request, fuse_ino_t node, const char *bytes, size_t size, off_t offset,
    struct fuse_file_info *file) {
    (void)bytes;
    (void)offset;
    (void)file;
    fuse_reply_write(request, node == SHORT ? size + 100 : size);
}

/// One entry as it is sent: struct fuse_dirent.
static size_t put(char *to, uint64_t offset, const char *name, uint32_t type) {
    uint64_t inode = 7;
    uint32_t length = (uint32_t)strlen(name);
    memcpy(to, &inode, 8);
    memcpy(to + 8, &offset, 8);
    memcpy(to + 16, &length, 4);
    memcpy(to + 20, &type, 4);
    memcpy(to + 24, name, length);
    return (24 + length + 7) & ~(size_t)7;
}

static void liar_readdir(
    fuse_req_t request, fuse_ino_t node, size_t size, off_t offset, struct fuse_file_info *file) {
    (void)file;
    (void)size;
    char bytes[4096] = {0};
    size_t used = 0;
    // Offsets go on from 1, but where they are the lie; whoever comes back with one has had everything.
    if (offset == 0) {
        used += put(bytes + used, 1, ".", 4);
        used += put(bytes + used, 2, "..", 4);
        switch (node) {
        case ROOT:
            for (int lie = PLAIN; lie < LIES; lie++) used += put(bytes + used, (uint64_t)lie + 2, names[lie], 0);
            used += put(bytes + used, 90, "flip", 8);
            used += put(bytes + used, 91, "same", 8);
            used += put(bytes + used, 92, "never", 8);
            break;
        case TWICE:
            for (int round = 0; round < 3; round++) {
                used += put(bytes + used, 3, "entry", 8);
                used += put(bytes + used, 4, ".", 4);
                used += put(bytes + used, 5, "..", 4);
            }
            break;
        case SLASH: used += put(bytes + used, 3, "entry/../../outside", 8); break;
        case NAMELESS: used += put(bytes + used, 3, "", 8); break;
        default:
            used += put(bytes + used, (uint64_t)INT64_MAX, "entry", 4);
            used += put(bytes + used, 1, "other", 13);
        }
    }
    fuse_reply_buf(request, bytes, used);
}

static void liar_getxattr(fuse_req_t request, fuse_ino_t node, const char *name, size_t size) {
    (void)name;
    if (node == FAILING || node == WRONG) {
        fuse_reply_err(request, EIO);
    } else if (size == 0) {
        fuse_reply_xattr(request, 3);
    } else {
        fuse_reply_buf(request, "yes and more than was asked for", size < 31 ? size : 31);
    }
}

static void liar_listxattr(fuse_req_t request, fuse_ino_t node, size_t size) {
    // Names without an end, or of the union's own marks and of overlayfs's.
    static const char marks[] = "user.switchfs.origin\0trusted.overlay.opaque\0user.overlay.whiteout\0x";
    if (node == FAILING) {
        fuse_reply_err(request, EIO);
    } else if (size == 0) {
        fuse_reply_xattr(request, sizeof marks);
    } else {
        fuse_reply_buf(request, marks, size < sizeof marks ? size : sizeof marks - 1);
    }
}

static const struct fuse_lowlevel_ops operations = {
    .lookup = liar_lookup, .getattr = liar_getattr, .setattr = liar_setattr, .readlink = liar_readlink,
    .open = liar_open, .read = liar_read, .write = liar_write, .opendir = liar_open,
    .readdir = liar_readdir, .getxattr = liar_getxattr, .listxattr = liar_listxattr,
};

int main(int count, char *arguments[]) {
    if (count != 2) return 2;
    char *options[] = {arguments[0], "-oallow_other,fsname=liar", NULL};
    struct fuse_args args = FUSE_ARGS_INIT(2, options);
    struct fuse_session *session = fuse_session_new(&args, &operations, sizeof operations, NULL);
    if (session == NULL || fuse_session_mount(session, arguments[1]) != 0) return 1;
    int result = fuse_session_loop(session);
    fuse_session_unmount(session);
    fuse_session_destroy(session);
    return result != 0;
}
