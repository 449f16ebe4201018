/* SPDX-License-Identifier: MIT */
/*
 * master: the master(8) of an instance: whether it is running, and which services it provides
 * (master.cf). It holds an exclusive flock(2) on QUEUE_DIRECTORY/pid/master.pid. That lock
 * is never taken, not even shared, because a "postfix start" at that moment would fail: it is
 * looked up in /proc/locks.
 */
#ifndef MASTER_H
#define MASTER_H

#include "base/alloc.h"
#include "base/limits.h"
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

enum master_state {
    MASTER_UNKNOWN, /* cannot be determined */
    MASTER_RUNNING,
    MASTER_STOPPED,
};

/* The locks found in /proc/locks so far. */
struct master_locks {
    const struct limits *limits; /* set by the caller, the rest zero */

    /* private */
    int64_t spent;    /* time in reading, in microseconds */
    int readings;     /* how often /proc/locks was read */
    size_t left;      /* bytes of it that may still be read */
    bool shows_all;   /* it could be read, and we are in the first PID namespace */
    UT_array *locked; /* exclusive flock(2) locks */
    UT_array *mounts;
};

/* Empties it: what is asked next is read again. */
void master_locks_free(struct master_locks *locks);

/*
 * Whether the instance with that queue directory is running. MASTER_STOPPED only when that is
 * sure: the lock file does not exist, or the kernel would show its lock and shows none. Locks of
 * processes in another PID namespace are not shown to us. On a file system whose device numbers are
 * its own (btrfs, overlayfs), the holder has to be the process that the file names, which only root
 * may read. Nor is all of /proc/locks read where others hold many thousands of locks, or keep the
 * kernel busy with it: for 5 seconds in all, and for one when the run has to end.
 */
enum master_state master_state(struct master_locks *locks, const char *queue_directory);

/* Returns the process that holds an exclusive flock(2) on a file, or 0 if there is none or it
 * cannot be found out. master(8) holds QUEUE_DIRECTORY/pid/master.pid and
 * DATA_DIRECTORY/master.lock. */
pid_t master_lock_holder(struct master_locks *locks, const char *directory, const char *file);

/* Whether the process that QUEUE_DIRECTORY/pid/master.pid names does not exist, or has ended and is
 * only waited for. An ID of another PID namespace means nothing in ours: master(8) may run there
 * nevertheless. False if the file cannot be read, as by anybody but root. */
bool master_is_gone(const char *queue_directory);

/* Whether the process is stopped by a signal or a debugger, so that it does nothing. */
bool master_is_stopped(pid_t process);

/* Returns which of master's processes serve a service, for a message: "qmgr, process 5434,
 * stopped", a new string; NULL if none does or it cannot be found out. */
char *master_find_process(pid_t master, const char *service);

/* Returns the unit that systemd runs the process as ("postfix@out.service"), a new string; NULL if
 * it runs as none, in our own, or that cannot be found out. Any user may hold a lock, and choose
 * the names below the user's own service manager: only processes of root count, and only the names
 * of services of the system. */
char *master_find_unit(pid_t process);

/* The largest master.cf that is read, in bytes. */
#define MASTER_CF_MAXIMUM ((size_t)1024 * 1024)

/* Where services of a name have their socket or FIFO; both for two of that name. */
enum master_service {
    MASTER_SERVICE_UNKNOWN = -1, /* master.cf cannot be read */
    MASTER_SERVICE_ABSENT = 0,
    MASTER_SERVICE_PUBLIC = 1 << 0,
    MASTER_SERVICE_PRIVATE = 1 << 1,
};

/* Looks up the services of that name in CONFIG_DIRECTORY/master.cf (master(5)). Those of type inet
 * have no socket there, and do not count. */
enum master_service master_find_service(const char *config_directory, const char *name);

#endif
