/* SPDX-License-Identifier: MIT */
/*
 * path: opens paths that another user may have written, and reads files that another user may own,
 * without being blocked, misled or flooded. Symbolic links are followed, but no link of /proc:
 * /proc/PID/root, cwd and fd lead into the mount namespaces of other users, whose file systems can
 * hold any process that enters them and show files that only root may read.
 *
 * A file system that does not answer holds the process that asks it. So a worker opens and reads
 * files that the kernel does not have in its cache (RESOLVE_CACHED), files that are not on a local
 * file system, and all files before Linux 5.12, except where the run has no limits (limits_of_run).
 * On a warm machine with local file systems, no worker is started.
 */
#ifndef PATH_H
#define PATH_H

#include "base/worker.h"
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/types.h>

/*
 * Does the work of the task, or has a worker do it, for as long as the limits allow: if it is_far,
 * or if one of the functions below would have to wait in it. After a late answer, nothing below the
 * task's path is asked again. Returns 0 with the answer, and the work's descriptor in task->fd;
 * ETIMEDOUT if the file system does not answer; or another errno.
 */
int path_ask(struct worker_task *task, bool is_far);

/* Whether the file of the descriptor is on a local file system. Does not wait for others. */
bool path_is_near(int fd);

/* An open file. */
struct path_details {
    struct stat status; /* without st_rdev, st_blksize, st_blocks and st_atim */
    int64_t born;       /* nanoseconds since 1970; 0 if the file system does not record it */
};

/*
 * Opens path with O_PATH, O_CLOEXEC and the flags: O_DIRECTORY, O_NOFOLLOW, both or 0. The first
 * typed bytes of path (0: none) are those that the administrator typed: every link in them is
 * followed.
 * Returns a descriptor, with *found filled in, or -1 with errno: EXDEV for a link of /proc (see
 * path_error()). Where Linux has no openat2(2) (before 5.6, or forbidden by a filter), nothing in
 * /proc is opened at all.
 */
int path_open(const char *path, size_t typed, int flags, struct path_details *found);

/*
 * Opens with O_PATH, O_NOFOLLOW, O_CLOEXEC and the flags, and follows no link. A path of several
 * components fails with ELOOP where one is a link, and with ENOSYS without openat2(2). Returns a
 * descriptor, with *found filled in, or -1 with errno.
 */
int path_open_direct(int directory, const char *path, int flags, struct path_details *found);

/* Like path_open(), and fills in the status and, unless it is NULL, what fstatvfs(3) fills in; asks
 * a worker if it has to. */
int path_place(const char *path, int flags, struct stat *status, struct statvfs *room);

/* Like stat(2), or with O_NOFOLLOW like lstat(2), in the same way. Returns 0 or an errno. */
int path_status(const char *path, int flags, struct stat *status);

/* Returns the meaning of an errno of these functions, like strerror(3). */
const char *path_error(int error);

/* Whether a file is one that path_find() looks for; place is its O_PATH descriptor. May be called
 * in a worker. */
typedef bool path_check(int place, const struct stat *status, uid_t user);

/* Checks "/" and every component of the absolute path, links and their targets too, in the order of
 * the kernel's look-up; user is the check's. Asks a worker if it has to. Returns the path of the
 * first one that passes the check, without links and "..", a new string, and fills in its status;
 * or NULL if there is none, or if a component cannot be opened. */
char *path_find(const char *path, path_check *check, uid_t user, struct stat *status);

enum path_result {
    PATH_OK,
    PATH_MISSING, /* ENOENT or ENOTDIR of open(2) */
    PATH_ERROR,   /* anything else */
};

struct path_file {
    char *text;        /* the bytes and a NUL after them, to be freed; NULL after an error */
    size_t length;     /* bytes, without that NUL */
    bool others_write; /* users other than root can write the file */
    struct stat status;
};

/*
 * Reads the file at path, whose first typed bytes the administrator typed (see path_open()).
 * Symbolic links are followed, except those of /proc and those of another user to a file that not
 * everybody may read, whose text would appear in messages. Accepts only a regular file of at most
 * maximum bytes, and opens nothing else: opening a device can have effects. A file that changes
 * meanwhile (size, modification time, inode change time) is read again, three times at most. Text
 * with a NUL byte is an error. Returns PATH_OK with *file filled in; otherwise *error, which has to
 * be NULL before, is a new string, in Postfix's wording where Postfix has one ("open PATH: No such
 * file or directory", as Postfix 3.7 has it).
 */
enum path_result path_read(const char *path, size_t typed, size_t maximum, struct path_file *file,
                           char **error);

/* Whether users other than root can write the file of the descriptor: its owner, its group,
 * everybody, or somebody in its ACL. The descriptor may be of O_PATH but not of a link; status is
 * that of the file. */
bool path_others_write(int fd, const struct stat *status);

#endif
