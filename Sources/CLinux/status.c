#include "CLinux.h"
#include "result.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <unistd.h>

static struct slx_timestamp timestamp(struct statx_timestamp time) {
    return (struct slx_timestamp){.seconds = time.tv_sec, .nanoseconds = time.tv_nsec};
}

int32_t slx_statx(int32_t directory, const char *path, int32_t flags, uint32_t mask, struct slx_status *out) {
    struct statx raw;
    if (statx(directory, path, flags, mask, &raw) < 0) return -errno;
    *out = (struct slx_status){
        .inode = raw.stx_ino,
        .device = makedev(raw.stx_dev_major, raw.stx_dev_minor),
        .special_device = makedev(raw.stx_rdev_major, raw.stx_rdev_minor),
        .blocks = raw.stx_blocks,
        .attributes = raw.stx_attributes,
        .mount_id = raw.stx_mnt_id,
        .size = (int64_t)raw.stx_size,
        .mode = raw.stx_mode,
        .link_count = raw.stx_nlink,
        .uid = raw.stx_uid,
        .gid = raw.stx_gid,
        .block_size = raw.stx_blksize,
        .mask = raw.stx_mask,
        .access = timestamp(raw.stx_atime),
        .modification = timestamp(raw.stx_mtime),
        .change = timestamp(raw.stx_ctime),
        .birth = timestamp(raw.stx_btime),
    };
    return 0;
}

int32_t slx_fstatfs(int32_t fd, struct slx_file_system *out) {
    struct statfs raw;
    if (fstatfs(fd, &raw) < 0) return -errno;
    *out = (struct slx_file_system){
        .type = (int64_t)raw.f_type,
        .block_size = (uint64_t)raw.f_bsize,
        .fragment_size = (uint64_t)raw.f_frsize,
        .blocks = raw.f_blocks,
        .blocks_free = raw.f_bfree,
        .blocks_available = raw.f_bavail,
        .files = raw.f_files,
        .files_free = raw.f_ffree,
        .name_length = (uint64_t)raw.f_namelen,
        .flags = (uint64_t)raw.f_flags,
    };
    memcpy(&out->id, &raw.f_fsid, sizeof out->id);
    return 0;
}

int32_t slx_access(int32_t fd, int32_t mode) {
    // Not glibc's faccessat: what it can't hand to the kernel it works out itself, from the mode bits.
    SLX_RESULT(int32_t, syscall(SYS_faccessat2, fd, "", mode, AT_EACCESS | AT_EMPTY_PATH));
}
