// The kernel's side: layouts and values of Linux 6.18's include/uapi/linux/fuse.h, under names of our own.
#ifndef SFS_KERNEL_ABI_H
#define SFS_KERNEL_ABI_H

#include <stdint.h>

// --- requests -----------------------------------------------------------------------------------------

/// struct fuse_in_header: before every request.
struct sfs_request_header {
    uint32_t length;
    uint32_t opcode;
    uint64_t unique;
    uint64_t node;
    uint32_t uid;
    uint32_t gid;
    uint32_t pid;
    uint16_t extension_length;
    uint16_t padding;
};

/// struct fuse_init_in.
struct sfs_init_request {
    uint32_t major;
    uint32_t minor;
    uint32_t max_readahead;
    uint32_t flags;
    /// From 7.36 on, where flags has SFS_INIT_EXTENDED.
    uint32_t flags2;
    uint32_t unused[11];
};

/// struct fuse_open_in.
struct sfs_open_request {
    uint32_t flags;
    uint32_t open_flags;
};

/// struct fuse_create_in, which TMPFILE has too.
struct sfs_create_request {
    uint32_t flags;
    uint32_t mode;
    uint32_t umask;
    uint32_t open_flags;
};

/// struct fuse_write_in.
struct sfs_write_request {
    uint64_t handle;
    uint64_t offset;
    uint32_t size;
    uint32_t write_flags;
    uint64_t lock_owner;
    uint32_t flags;
    uint32_t padding;
};

// --- replies ------------------------------------------------------------------------------------------

/// struct fuse_out_header.
struct sfs_reply_header {
    uint32_t length;
    int32_t error;
    uint64_t unique;
};

/// struct fuse_init_out, with the member of 7.40.
struct sfs_init_reply {
    uint32_t major;
    uint32_t minor;
    uint32_t max_readahead;
    uint32_t flags;
    uint16_t max_background;
    uint16_t congestion_threshold;
    uint32_t max_write;
    uint32_t time_gran;
    uint16_t max_pages;
    uint16_t map_alignment;
    uint32_t flags2;
    uint32_t max_stack_depth;
    uint32_t unused[6];
};

/// struct fuse_attr.
struct sfs_attributes {
    uint64_t inode;
    uint64_t size;
    uint64_t blocks;
    uint64_t access_seconds;
    uint64_t modification_seconds;
    uint64_t change_seconds;
    uint32_t access_nanoseconds;
    uint32_t modification_nanoseconds;
    uint32_t change_nanoseconds;
    uint32_t mode;
    uint32_t link_count;
    uint32_t uid;
    uint32_t gid;
    uint32_t special_device;
    uint32_t block_size;
    uint32_t flags;
};

/// struct fuse_entry_out.
struct sfs_entry_reply {
    uint64_t node;
    uint64_t generation;
    uint64_t entry_seconds;
    uint64_t attribute_seconds;
    uint32_t entry_nanoseconds;
    uint32_t attribute_nanoseconds;
    struct sfs_attributes attributes;
};

/// struct fuse_dirent: before each name of a listing, which is followed by zeros up to a multiple of eight.
struct sfs_listed_name {
    uint64_t inode;
    uint64_t next_offset;
    uint32_t length;
    uint32_t kind;
};

/// struct fuse_open_out.
struct sfs_open_reply {
    uint64_t handle;
    uint32_t open_flags;
    int32_t backing_id;
};

/// What answers CREATE and TMPFILE.
struct sfs_create_reply {
    struct sfs_entry_reply entry;
    struct sfs_open_reply open;
};

/// struct fuse_backing_map.
struct sfs_backing_map {
    int32_t fd;
    uint32_t flags;
    uint64_t padding;
};

// --- values -------------------------------------------------------------------------------------------

enum sfs_opcode {
    SFS_OP_FORGET = 2,
    SFS_OP_SETATTR = 4,
    SFS_OP_RELEASE = 18,
    SFS_OP_INIT = 26,
    SFS_OP_RELEASEDIR = 29,
    SFS_OP_INTERRUPT = 36,
    SFS_OP_BATCH_FORGET = 42,
    SFS_OP_TMPFILE = 51,
};

/// Bits of INIT's flags, those from 32 on in flags2.
#define SFS_INIT_PARALLEL_DIROPS (1ULL << 18)
#define SFS_INIT_HANDLE_KILLPRIV_V2 (1ULL << 28)
#define SFS_INIT_EXTENDED (1ULL << 30)
#define SFS_INIT_DIRECT_IO_ALLOW_MMAP (1ULL << 36)
#define SFS_INIT_PASSTHROUGH (1ULL << 37)

/// Bits of a reply to OPEN, OPENDIR, CREATE, TMPFILE: FOPEN_*.
#define SFS_OPEN_DIRECT_IO (1U << 0)
#define SFS_OPEN_KEEP_CACHE (1U << 1)
#define SFS_OPEN_NONSEEKABLE (1U << 2)
#define SFS_OPEN_STREAM (1U << 4)
#define SFS_OPEN_NOFLUSH (1U << 5)
#define SFS_OPEN_PARALLEL_DIRECT_WRITES (1U << 6)
#define SFS_OPEN_PASSTHROUGH (1U << 7)

/// FUSE_WRITE_CACHE.
#define SFS_WRITE_FROM_CACHE (1U << 0)

/// FUSE_OPEN_KILL_SUIDGID, FUSE_WRITE_KILL_SUIDGID.
#define SFS_OPEN_KILL_PRIVILEGES (1U << 0)
#define SFS_WRITE_KILL_PRIVILEGES (1U << 2)

/// FATTR_*: what SETATTR is to change.
#define SFS_CHANGE_MODE (1U << 0)
#define SFS_CHANGE_UID (1U << 1)
#define SFS_CHANGE_GID (1U << 2)
#define SFS_CHANGE_SIZE (1U << 3)
#define SFS_CHANGE_ATIME (1U << 4)
#define SFS_CHANGE_MTIME (1U << 5)
#define SFS_CHANGE_ATIME_NOW (1U << 7)
#define SFS_CHANGE_MTIME_NOW (1U << 8)
#define SFS_CHANGE_KILL_PRIVILEGES (1U << 11)
/// Those above but the last.
#define SFS_CHANGES 0x1bfU

/// FUSE_IOCTL_*: how an ioctl came.
#define SFS_IOCTL_COMPAT (1U << 0)
#define SFS_IOCTL_UNRESTRICTED (1U << 1)
#define SFS_IOCTL_DIRECTORY (1U << 4)

/// FUSE_DEV_IOC_CLONE, _BACKING_OPEN, _BACKING_CLOSE: _IOR(229, 0, uint32_t), _IOW(229, 1, struct
/// fuse_backing_map), _IOW(229, 2, uint32_t). (Not so on MIPS, PowerPC and SPARC; device.c checks.)
#define SFS_DEVICE_CLONE 0x8004e500U
#define SFS_DEVICE_BACKING_OPEN 0x4010e501U
#define SFS_DEVICE_BACKING_CLOSE 0x4004e502U

#endif
