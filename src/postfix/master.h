/* SPDX-License-Identifier: MIT */
/*
 * master: whether an instance's mail system is running. Postfix's master(8) holds an exclusive
 * flock(2) on QUEUE_DIRECTORY/pid/master.pid. That lock is never taken, not even shared, because a
 * "postfix start" at that moment would fail: it is looked up in /proc/locks.
 */
#ifndef MASTER_H
#define MASTER_H

#include "base/limits.h"

enum master_state {
    MASTER_UNKNOWN, /* it cannot be found out */
    MASTER_RUNNING,
    MASTER_STOPPED,
};

/* The locks found in /proc/locks so far. */
struct master_locks;

/* Returns an empty struct, to be freed by master_locks_free(). Reads nothing yet. limits has to
 * remain valid. */
struct master_locks *master_locks_new(const struct limits *limits);

/* Forgets what was read, so that the next call of master_state() reads it again. */
void master_locks_forget(struct master_locks *locks);

/* Frees it; NULL is allowed. */
void master_locks_free(struct master_locks *locks);

/*
 * Whether the instance with that queue directory is running. MASTER_STOPPED only when that is
 * sure: the lock file does not exist, or the kernel would show its lock and shows none. Locks of
 * processes in another PID namespace are not shown to us, and a file system whose device numbers
 * are its own (btrfs, overlayfs) cannot be looked up. Nor is all of /proc/locks read where others
 * hold many thousands of locks, or keep the kernel busy with it: for 5 seconds in all, and for one
 * when the run has to end.
 */
enum master_state master_state(struct master_locks *locks, const char *queue_directory);

#endif
