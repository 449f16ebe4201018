/* SPDX-License-Identifier: MIT */
/* A hash table of files, by device and inode. */
#include "base/inodes.h"
#include "base/alloc.h"
#include <string.h>

ALLOC_TABLES_ARE_KEPT

struct entry {
    struct {
        dev_t device;
        ino_t inode;
    } key;
    void *kept;
    UT_hash_handle hh;
};

struct inodes {
    struct entry *entries;
};

struct inodes *inodes_new(void)
{
    return alloc_zeroed(1, sizeof(struct inodes));
}

void inodes_free(struct inodes *inodes)
{
    struct entry *entry, *next;

    if (inodes == NULL)
        return;
    HASH_ITER (hh, inodes->entries, entry, next) {
        HASH_DEL(inodes->entries, entry); /* NOLINT(clang-analyzer-unix.Malloc): next is read */
        free(entry);
    }
    free(inodes);
}

static struct entry *find(const struct inodes *inodes, dev_t device, ino_t inode)
{
    struct entry wanted, *found;

    memset(&wanted, 0, sizeof(wanted)); /* the padding of the key is compared too */
    wanted.key.device = device;
    wanted.key.inode = inode;
    HASH_FIND(hh, inodes->entries, &wanted.key, sizeof(wanted.key), found);
    return found;
}

void inodes_set(struct inodes *inodes, dev_t device, ino_t inode, void *kept)
{
    struct entry *entry = find(inodes, device, inode);

    if (entry == NULL) {
        entry = alloc_zeroed(1, sizeof(*entry));
        entry->key.device = device;
        entry->key.inode = inode;
        HASH_ADD(hh, inodes->entries, key, sizeof(entry->key), entry);
    }
    entry->kept = kept;
}

void *inodes_find(const struct inodes *inodes, dev_t device, ino_t inode)
{
    const struct entry *entry = find(inodes, device, inode);

    return entry == NULL ? NULL : entry->kept;
}
