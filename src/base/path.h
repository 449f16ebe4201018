/* SPDX-License-Identifier: MIT */
/*
 * path: opens what a path names that another user may have written. Symbolic links are followed,
 * but no link of /proc: /proc/PID/root, cwd and fd lead into the mount namespaces of other users,
 * where a file system of theirs can hold whoever enters it, and show what only root may read.
 */
#ifndef PATH_H
#define PATH_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/stat.h>

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

/* As stat(2), or with O_NOFOLLOW as lstat(2), with path_open(). Returns 0 or an errno. */
int path_status(const char *path, int flags, struct stat *status);

/* Returns what the errno of one of these means, as strerror(3) does. */
const char *path_error(int error);

/* Whether that is what is looked for; place is of O_PATH. */
typedef bool path_check(int place, const struct stat *status, void *context);

/* Checks "/" and every component of the absolute path, links and their targets too, in the order of
 * the kernel's look-up. Returns the first one that passes the check, without links and "..", a new
 * string; or NULL if there is none, or when a component cannot be opened. */
char *path_find(const char *path, path_check *check, void *context);

#endif
