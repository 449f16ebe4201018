/* SPDX-License-Identifier: MIT */
/*
 * inodes: a table of files, known by device and inode, with something kept for each.
 */
#ifndef INODES_H
#define INODES_H

#include <sys/types.h>

struct inodes;

/* An empty table, to be freed by inodes_free(). */
struct inodes *inodes_new(void);

/* Frees the table, not what is kept in it; NULL is allowed. */
void inodes_free(struct inodes *inodes);

/* Keeps kept, which is not NULL, for that file, in place of what was kept for it before. */
void inodes_set(struct inodes *inodes, dev_t device, ino_t inode, void *kept);

/* What is kept for that file, or NULL. */
void *inodes_find(const struct inodes *inodes, dev_t device, ino_t inode);

#endif
