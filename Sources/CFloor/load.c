// Takes directories of a disk into memory.
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "CFloor.h"
#include "tree.h"

/// Larger files are mapped: most of their pages are never asked for.
static const off_t largest_copy = 1 << 20;

static int load_directory(int parent, const char *path, struct node *node);

static int map_file(int file, struct node *node) {
    size_t size = (size_t)node->attributes.st_size;
    void *memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_NORESERVE, file, 0);
    if (memory == MAP_FAILED) return errno;
    node->contents = memory;
    node->room = size;
    node->is_mapped = 1;
    return 0;
}

static int copy_file(int file, struct node *node) {
    size_t size = (size_t)node->attributes.st_size;
    node->contents = malloc(size);
    if (node->contents == NULL) return ENOMEM;
    node->room = size;
    ssize_t count = read(file, node->contents, size);
    if (count < 0) return errno;
    return (size_t)count == size ? 0 : EIO;
}

static int load_file(int parent, const char *name, struct node *node) {
    if (node->attributes.st_size == 0) return 0;
    int file = openat(parent, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    if (file < 0) return errno;
    int error = node->attributes.st_size > largest_copy ? map_file(file, node) : copy_file(file, node);
    close(file);
    return error;
}

static int load_link(int parent, const char *name, struct node *node) {
    char target[PATH_MAX];
    ssize_t count = readlinkat(parent, name, target, sizeof target - 1);
    if (count < 0) return errno;
    target[count] = 0;
    node->contents = strdup(target);
    return node->contents == NULL ? ENOMEM : 0;
}

/// A directory that an upper layer has, too, gets what is only here.
static int load_name(int parent, const char *name, struct node *directory) {
    struct stat attributes;
    if (fstatat(parent, name, &attributes, AT_SYMLINK_NOFOLLOW) != 0) return errno;
    struct entry *above = tree_find(directory, name);
    if (above != NULL) {
        int is_merged = S_ISDIR(attributes.st_mode) && S_ISDIR(above->node->attributes.st_mode);
        return is_merged ? load_directory(parent, name, above->node) : 0;
    }
    struct node *node = tree_make(&attributes);
    tree_add(directory, name, node);
    switch (attributes.st_mode & S_IFMT) {
    case S_IFDIR:
        directory->attributes.st_nlink++;
        node->attributes.st_nlink = 2;
        return load_directory(parent, name, node);
    case S_IFREG: node->attributes.st_nlink = 1; return load_file(parent, name, node);
    case S_IFLNK: node->attributes.st_nlink = 1; return load_link(parent, name, node);
    default: node->attributes.st_nlink = 1; return 0;
    }
}

static int load_directory(int parent, const char *path, struct node *node) {
    int descriptor = openat(parent, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (descriptor < 0) return errno;
    DIR *stream = fdopendir(descriptor);
    if (stream == NULL) {
        close(descriptor);
        return ENOMEM;
    }
    int error = 0;
    for (struct dirent *item; error == 0 && (item = readdir(stream)) != NULL;) {
        if (strcmp(item->d_name, ".") == 0 || strcmp(item->d_name, "..") == 0) continue;
        error = load_name(descriptor, item->d_name, node);
    }
    closedir(stream);
    return error;
}

int32_t floor_load(const char *directory) { return load_directory(AT_FDCWD, directory, &root); }
