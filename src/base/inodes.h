/* SPDX-License-Identifier: MIT */
/*
 * inodes: a table of files by device and inode, with a pointer for each.
 */
#ifndef INODES_H
#define INODES_H

#include <sys/types.h>

struct inodes;

/* An empty table, to be freed by inodes_free(). */
struct inodes *inodes_new(void);

/* Frees the table, not what its pointers point to; NULL is allowed. */
void inodes_free(struct inodes *inodes);

/* Stores kept, which is not NULL, for that file; replaces an earlier one. */
void inodes_set(struct inodes *inodes, dev_t device, ino_t inode, void *kept);

/* Returns what is stored for that file, or NULL. */
void *inodes_find(const struct inodes *inodes, dev_t device, ino_t inode);

#endif
