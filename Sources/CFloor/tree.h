// The files of the floor, in memory.
#pragma once

#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>

struct entry;

/// A directory, a file or a symbolic link.
struct node {
    struct stat attributes;
    /// How often the kernel was told of it, less what it has forgotten.
    uint64_t lookups;

    /// A file's bytes, as many as its size says, or a link's target.
    char *contents;
    size_t room;
    /// The contents are a private mapping of the file that they come from.
    int is_mapped;

    /// A directory's entries by the hash of their names, and in the order of a listing, where removed ones leave gaps.
    struct entry **buckets;
    size_t bucket_count;
    struct entry **order;
    size_t order_count;
    size_t order_room;
    size_t entry_count;
};

struct entry {
    struct node *node;
    struct entry *next;
    uint64_t hash;
    /// In the directory's order.
    size_t place;
    char name[];
};

extern struct node root;

/// Around every look at the tree, and every change of it.
void tree_enter(void);
void tree_leave(void);

struct timespec tree_now(void);

/// A node with the attributes, and no name yet. Without an inode number it gets one of its own.
struct node *tree_make(const struct stat *attributes);
/// Frees a node that has neither a name nor a lookup.
void tree_release(struct node *node);

struct entry *tree_find(const struct node *directory, const char *name);
/// Gives a node a name. Link counts stay as they are.
void tree_add(struct node *directory, const char *name, struct node *node);
/// Takes a name away. Link counts stay as they are.
void tree_detach(struct node *directory, struct entry *entry);

/// Gives a file another size. What is new is zero. 0, or an errno.
int tree_resize(struct node *file, size_t size);
