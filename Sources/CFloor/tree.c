#define _GNU_SOURCE
#include "tree.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>

struct node root = {.attributes = {.st_ino = 1, .st_mode = S_IFDIR | 0755, .st_nlink = 2}};

// A thread that meets another one in the tree waits for less than a sleep takes.
static pthread_mutex_t lock = PTHREAD_ADAPTIVE_MUTEX_INITIALIZER_NP;

void tree_enter(void) { pthread_mutex_lock(&lock); }
void tree_leave(void) { pthread_mutex_unlock(&lock); }

struct timespec tree_now(void) {
    struct timespec now;
    clock_gettime(CLOCK_REALTIME_COARSE, &now);
    return now;
}

/// A measurement is worth nothing without memory.
static void *grown(void *memory, size_t size) {
    void *larger = realloc(memory, size);
    if (larger == NULL) abort();
    return larger;
}

struct node *tree_make(const struct stat *attributes) {
    // Beyond the numbers of the files that were loaded.
    static ino_t last_number = (ino_t)1 << 48;
    struct node *node = grown(NULL, sizeof *node);
    *node = (struct node){.attributes = *attributes};
    if (node->attributes.st_ino == 0) node->attributes.st_ino = ++last_number;
    return node;
}

void tree_release(struct node *node) {
    if (node == &root || node->attributes.st_nlink > 0 || node->lookups > 0) return;
    if (node->is_mapped) {
        munmap(node->contents, node->room);
    } else {
        free(node->contents);
    }
    free(node->buckets);
    free(node->order);
    free(node);
}

// --- names

/// FNV-1a.
static uint64_t hash_of(const char *name) {
    uint64_t hash = 0xcbf29ce484222325;
    for (; *name != 0; name++) hash = (hash ^ (unsigned char)*name) * 0x100000001b3;
    return hash;
}

static struct entry **bucket_of(const struct node *directory, uint64_t hash) {
    return &directory->buckets[hash & (directory->bucket_count - 1)];
}

struct entry *tree_find(const struct node *directory, const char *name) {
    if (directory->bucket_count == 0) return NULL;
    uint64_t hash = hash_of(name);
    struct entry *entry = *bucket_of(directory, hash);
    while (entry != NULL && (entry->hash != hash || strcmp(entry->name, name) != 0)) entry = entry->next;
    return entry;
}

static void link_entry(struct node *directory, struct entry *entry) {
    struct entry **bucket = bucket_of(directory, entry->hash);
    entry->next = *bucket;
    *bucket = entry;
}

/// Makes the buckets as many as the entries at least.
static void widen(struct node *directory) {
    if (directory->entry_count < directory->bucket_count) return;
    free(directory->buckets);
    directory->bucket_count = directory->bucket_count == 0 ? 16 : directory->bucket_count * 2;
    directory->buckets = grown(NULL, directory->bucket_count * sizeof(struct entry *));
    memset(directory->buckets, 0, directory->bucket_count * sizeof(struct entry *));
    for (size_t place = 0; place < directory->order_count; place++) {
        if (directory->order[place] != NULL) link_entry(directory, directory->order[place]);
    }
}

static void append(struct node *directory, struct entry *entry) {
    if (directory->order_count == directory->order_room) {
        directory->order_room = directory->order_room == 0 ? 16 : directory->order_room * 2;
        directory->order = grown(directory->order, directory->order_room * sizeof(struct entry *));
    }
    entry->place = directory->order_count++;
    directory->order[entry->place] = entry;
}

void tree_add(struct node *directory, const char *name, struct node *node) {
    widen(directory);
    size_t size = strlen(name) + 1;
    struct entry *entry = grown(NULL, sizeof *entry + size);
    *entry = (struct entry){.node = node, .hash = hash_of(name)};
    memcpy(entry->name, name, size);
    link_entry(directory, entry);
    append(directory, entry);
    directory->entry_count++;
}

void tree_detach(struct node *directory, struct entry *entry) {
    struct entry **link = bucket_of(directory, entry->hash);
    while (*link != entry) link = &(*link)->next;
    *link = entry->next;
    directory->order[entry->place] = NULL;
    while (directory->order_count > 0 && directory->order[directory->order_count - 1] == NULL) {
        directory->order_count--;
    }
    directory->entry_count--;
    free(entry);
}

// --- data

/// Makes room for `size` bytes.
static void reserve(struct node *file, size_t size) {
    if (size <= file->room) return;
    size_t room = size > file->room * 2 ? size : file->room * 2;
    if (!file->is_mapped) {
        file->contents = grown(file->contents, room);
    } else {
        char *copy = grown(NULL, room);
        memcpy(copy, file->contents, (size_t)file->attributes.st_size);
        munmap(file->contents, file->room);
        file->contents = copy;
        file->is_mapped = 0;
    }
    file->room = room;
}

int tree_resize(struct node *file, size_t size) {
    if (size > (size_t)1 << 40) return EFBIG;
    size_t old = (size_t)file->attributes.st_size;
    reserve(file, size);
    if (size > old) memset(file->contents + old, 0, size - old);
    file->attributes.st_size = (off_t)size;
    file->attributes.st_blocks = (blkcnt_t)((size + 511) / 512);
    return 0;
}
