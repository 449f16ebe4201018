/* SPDX-License-Identifier: MIT */
/*
 * path: opens what a path names that another user may have written. Symbolic links are followed,
 * but no link of /proc: /proc/PID/root, cwd and fd lead into the mount namespaces of other users,
 * where a file system of theirs can hold whoever enters it, and show what only root may read.
 *
 * A file system that does not answer holds the process that asks it. So what the kernel does not
 * have in its cache (RESOLVE_CACHED), what is not on a local file system, and everything before
 * Linux 5.12 is opened and read by a worker. On a warm machine with local file systems, none is
 * started.
 */
#ifndef PATH_H
#define PATH_H

#include "base/limits.h"
#include "base/worker.h"
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/types.h>

/* Sets the limits of waiting, which are kept by their address. NULL, as at the start: this process
 * itself waits for its file systems, without end, and the worker is ended. */
void path_limit(const struct limits *limits);

/* Whether one of the next four had to wait since the last call of this: it has failed, and is for
 * path_ask(). Never in a worker. */
bool path_must_wait(void);

/*
 * Has a worker do the work, with a question and an answer as in worker.h, for as long as it may
 * take within the limits. path is what the question is about: after it was late, nothing below it
 * is asked again. Returns 0 with *answer, and *fd if that is not NULL; ETIMEDOUT if the file system
 * does not answer; or another errno.
 */
int path_ask(worker_function *work, const char *path, const void *question, size_t length,
             void *answer, size_t size, int *fd);

/* Room for the answers of path_ask(). */
#define PATH_ANSWER_MAXIMUM ((size_t)8192)

/* Whether what the descriptor stands for is on a local file system. Does not wait for others. */
bool path_is_near(int fd);

/* As pread(2). */
ssize_t path_read(int fd, void *text, size_t length, off_t offset);

/*
 * Opens path with O_PATH, O_CLOEXEC and the flags, which are of O_DIRECTORY and O_NOFOLLOW. Its
 * first typed bytes are what the administrator typed: there every link is followed; 0 for none.
 * Returns a descriptor, or -1 with errno: EXDEV for a link of /proc (see path_error()). Where Linux
 * has no openat2(2) (before 5.6, or forbidden by a filter), nothing in /proc is opened at all.
 */
int path_open(const char *path, size_t typed, int flags);

/*
 * Opens with O_PATH, O_NOFOLLOW, O_CLOEXEC and the flags, and follows no link. A path of several
 * components fails with ELOOP where one is a link, and with ENOSYS without openat2(2). Returns a
 * descriptor, or -1 with errno.
 */
int path_open_direct(int directory, const char *path, int flags);

/* As path_open(), and fills in the status; asks a worker if it has to. */
int path_place(const char *path, int flags, struct stat *status);

/* What statx(2) returns, as in linux/stat.h: musl lacks it before 1.2.5. */
struct path_details {
    uint32_t mask, block_size;
    uint64_t attributes;
    uint32_t links, user, group;
    uint16_t mode, unused;
    uint64_t inode, size, blocks, known_attributes;
    struct {
        int64_t seconds;
        uint32_t nanoseconds, unused;
    } accessed, born, changed, modified;
    uint32_t special_major, special_minor, device_major, device_minor;
    uint64_t mount;
    uint64_t more[13];
};

/* What is asked for, and was known, is in the mask. */
#define PATH_BASIC 0x7ffU
#define PATH_BIRTH 0x800U
#define PATH_MOUNT 0x1000U /* Linux 5.8 */

/* Fills in what the mask asks for; with a mask of 0 the file system is not asked, and the mount and
 * the device are filled in. Without the birth where the kernel has no statx(2). Returns 0 or an
 * errno.
 */
int path_describe(int fd, unsigned mask, struct path_details *found);

/* As stat(2), or with O_NOFOLLOW as lstat(2), in the same way. Returns 0 or an errno. */
int path_status(const char *path, int flags, struct stat *status);

/* As statvfs(3), in the same way. Returns 0 or an errno. */
int path_room(const char *path, struct statvfs *room);

/* Returns what the errno of one of these means, as strerror(3) does. */
const char *path_error(int error);

/* Whether that is what is looked for; place is of O_PATH. May be called in a worker. */
typedef bool path_check(int place, const struct stat *status, void *context);

/* Checks "/" and every component of the absolute path, links and their targets too, in the order of
 * the kernel's look-up; context is that many bytes. Asks a worker if it has to. Returns the first
 * one that passes the check, without links and "..", a new string; or NULL if there is none, or
 * when a component cannot be opened. */
char *path_find(const char *path, path_check *check, void *context, size_t size);

#endif
