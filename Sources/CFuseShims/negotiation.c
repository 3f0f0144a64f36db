#include "CFuseShims.h"

#include "../CFuse3/fuse3.h"

/// Wants a feature where the kernel offers it, or doesn't want it.
static void choose(struct fuse_conn_info *connection, unsigned feature, int wanted) {
#if FUSE_VERSION >= FUSE_MAKE_VERSION(3, 17)
    // There `want` is only the lower half of `want_ext`, kept for old programs.
    if (wanted) {
        fuse_set_feature_flag(connection, feature);
    } else {
        fuse_unset_feature_flag(connection, feature);
    }
#else
    if (wanted) {
        connection->want |= connection->capable & feature;
    } else {
        connection->want &= ~feature;
    }
#endif
}

void sfs_negotiate(void *opaque, const struct sfs_features *features) {
    struct fuse_conn_info *connection = opaque;
    connection->max_write = features->max_write;
    connection->max_background = features->max_background;
    connection->congestion_threshold = features->max_background / 4 * 3;

    choose(connection, FUSE_CAP_ASYNC_READ, 1);
    choose(connection, FUSE_CAP_ASYNC_DIO, 1);
    choose(connection, FUSE_CAP_ATOMIC_O_TRUNC, 1);
    choose(connection, FUSE_CAP_DONT_MASK, 1);
    choose(connection, FUSE_CAP_PARALLEL_DIROPS, 1);
    choose(connection, FUSE_CAP_POSIX_ACL, 1);
    // Where nothing is kept, the files that READDIRPLUS tells of are of no use.
    choose(connection, FUSE_CAP_READDIRPLUS, features->keeps_listings);
    choose(connection, FUSE_CAP_READDIRPLUS_AUTO, features->keeps_listings);

    // A handle of the union needs the name that it was made by; the writeback cache excludes passthrough; the
    // first KILLPRIV would have us clear bits that the second asks for one by one. A link's target never changes, only the
    // link's name may denote another one: kept where names are.
    choose(connection, FUSE_CAP_EXPORT_SUPPORT, 0);
    choose(connection, FUSE_CAP_WRITEBACK_CACHE, 0);
    choose(connection, FUSE_CAP_HANDLE_KILLPRIV, 0);
    choose(connection, FUSE_CAP_CACHE_SYMLINKS, features->keeps_targets);
}
