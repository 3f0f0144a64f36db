// The least server that libfuse allows: a tree in memory, served by the same library and with the same polling as
// switchfs. What it takes is what FUSE itself takes on a machine. `switchfs-bench` calls it the floor.
//
// A process has one such tree.
#ifndef CFLOOR_H
#define CFLOOR_H

#include <stdint.h>

#pragma clang assume_nonnull begin

/// Takes all that is below a directory into memory. A name that is there already stays as it is, so the topmost layer
/// comes first. 0, or an errno.
int32_t floor_load(const char *directory);

/// Mounts the tree and serves it until it is unmounted. 0, or an errno.
int32_t floor_serve(const char *mount_point);

/// The version of libfuse.
const char *floor_library_version(void);

#pragma clang assume_nonnull end

#endif
