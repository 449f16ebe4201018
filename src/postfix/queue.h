/* SPDX-License-Identifier: MIT */
/*
 * queue: the contents of an instance's queues, from the queue directories themselves: no daemon is
 * asked, and a stopped instance is read like a running one.
 */
#ifndef QUEUE_H
#define QUEUE_H

#include <stdint.h>
#include <sys/types.h>

struct limits;

/* In the order of reports. */
enum queue {
    QUEUE_INCOMING,
    QUEUE_ACTIVE,
    QUEUE_DEFERRED,
    QUEUE_HOLD,
    QUEUE_MAILDROP,
    QUEUE_CORRUPT, /* the last: not part of any sum */
    QUEUE_COUNT,
};

/* The names of the queues and of their directories. */
extern const char *const queue_names[QUEUE_COUNT];

struct queue_tally {
    int64_t messages;
    int64_t bytes;  /* as mailq(1) shows them */
    int64_t oldest; /* the first arrival, in seconds since 1970; 0 without messages */
};

/* The contents of a queue directory. Without pointers: they come from another process. */
struct queue_contents {
    struct queue_tally queues[QUEUE_COUNT];
    uint64_t free_bytes, total_bytes;   /* of its file system: free for Postfix */
    uint64_t free_inodes, total_inodes; /* 0 and 0 where the file system has no such limit */
    dev_t device;                       /* of the queue directory */
    ino_t inode;
    int error; /* errno: why it could not be read, or 0 */
    char
        where[96]; /* the path that could not be read, below the queue directory; "": that itself */
    uid_t owner;   /* of that path */
};

/* Adds up one to the other. */
void queue_add(struct queue_tally *sum, const struct queue_tally *tally);

struct queue_reading {
    const char *directory; /* the queue directory; set by the caller. NULL: nothing is read */
    struct queue_contents contents;
    char *reason; /* why it could not be read, a new string; or NULL */
};

/*
 * Reads several queue directories in workers, up to parallel of them at once; a directory that is
 * not read within so many seconds has failed, and its worker is left behind. With fewer directories
 * than workers, several read parts of the same one.
 *
 * A message is a regular file that its owner may read, write and execute, which is how Postfix
 * marks a complete one, and that begins with the records C (size, optional) and T (arrival), both
 * within the first 128 bytes. In maildrop, where C is preliminary or missing, the size is that of
 * the file. In corrupt, for files that Postfix could not parse, every regular file counts.
 * Hashed directories (one-letter names) may have any depth; maildrop has none. No symbolic link is
 * followed below the queue directory, and nothing but directories and regular files is opened. A
 * message that vanishes meanwhile is left out, and one that moves between queues may count twice.
 */
void queues_read(struct queue_reading *readings, size_t count, int parallel, int seconds,
                 const struct limits *limits);

#endif
