/* SPDX-License-Identifier: MIT */
/* Opens paths with openat2(2), or component by component. */
#include "base/path.h"
#include "base/alloc.h"
#include "base/descriptors.h"
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/magic.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/statfs.h>
#include <sys/syscall.h>
#include <unistd.h>

/* openat2(2), as in linux/openat2.h, which is missing before Linux 5.6. */
#ifndef SYS_openat2
#define SYS_openat2 437
#endif
#define NO_MAGICLINKS 0x02
#define NO_SYMLINKS 0x04
struct open_manner {
    uint64_t flags, mode, resolve;
};

/* As many links as Linux follows. */
#define LINKS_MAXIMUM 40

/* Returns a descriptor, or -1 with errno: ENOSYS without openat2(2), of which EPERM is a filter's
 * word. */
static int open_at_once(int directory, const char *path, int flags, uint64_t resolve)
{
    struct open_manner manner = {.flags = (uint64_t)(O_PATH | O_CLOEXEC | flags),
                                 .resolve = resolve};
    int fd = (int)syscall(SYS_openat2, directory, path, &manner, sizeof(manner));

    if (fd < 0 && errno == EPERM)
        errno = ENOSYS;
    return fd;
}

int path_open_direct(int directory, const char *path, int flags)
{
    int fd = open_at_once(directory, path, O_NOFOLLOW | flags, NO_SYMLINKS);

    if (fd >= 0 || errno != ENOSYS || (strchr(path, '/') != NULL && strcmp(path, "/") != 0))
        return fd;
    return openat(directory, path, O_PATH | O_NOFOLLOW | O_CLOEXEC | flags);
}

/* A path that is looked up component by component. */
struct walk {
    char *rest; /* what is left of the path */
    int at;     /* what is open so far; -1 after a failure */
    int links;  /* that were followed */
};

/* Closes the descriptor, and sets errno. Returns -1. */
static int fail(int fd, int error)
{
    descriptors_close(&fd);
    errno = error;
    return -1;
}

/* Opens what is not in /proc. Returns a descriptor, or -1 with errno. */
static int open_outside_proc(int directory, const char *name, struct stat *status)
{
    int fd = path_open_direct(directory, name, 0);
    struct statfs system;

    if (fd >= 0 && (fstat(fd, status) < 0 || fstatfs(fd, &system) < 0))
        return fail(fd, errno);
    return fd >= 0 && system.f_type == PROC_SUPER_MAGIC ? fail(fd, EXDEV) : fd;
}

/* Puts the link's target before the rest of the path. Returns 0 or an errno. */
static int follow(struct walk *walk, int link)
{
    char target[PATH_MAX];
    ssize_t length = readlinkat(link, "", target, sizeof(target));

    if (length < 0)
        return errno;
    if (++walk->links > LINKS_MAXIMUM)
        return ELOOP;
    if ((size_t)length + strlen(walk->rest) >= sizeof(target))
        return ENAMETOOLONG;
    char *rest = alloc_format("%.*s%s", (int)length, target, walk->rest);
    free(walk->rest);
    walk->rest = rest;
    if (target[0] != '/')
        return 0;
    close(walk->at);
    walk->at = open("/", O_PATH | O_CLOEXEC);
    return walk->at < 0 ? errno : 0;
}

/* Opens the next component, and steps to it or follows it. Returns 1 for what passes the check,
 * 0 for anything else, -1 with errno. */
static int step(struct walk *walk, int flags, path_check *check, void *context)
{
    size_t blanks = strspn(walk->rest, "/"), length = strcspn(walk->rest + blanks, "/");
    char *name = alloc_span(walk->rest + blanks, length);
    struct stat status;

    memmove(walk->rest, walk->rest + blanks + length, strlen(walk->rest + blanks + length) + 1);
    int next = open_outside_proc(walk->at, name, &status);
    free(name);
    if (next < 0)
        return -1;
    bool is_found = check != NULL && check(next, &status, context);
    bool is_followed = !is_found && S_ISLNK(status.st_mode) &&
                       (walk->rest[0] != '\0' || (flags & O_NOFOLLOW) == 0);
    int error = is_followed ? follow(walk, next) : 0;
    if (is_followed) {
        close(next);
    } else {
        close(walk->at);
        walk->at = next;
    }
    errno = error;
    return error != 0 ? -1 : is_found ? 1 : 0;
}

/* Returns the descriptor of the path, or of what passes the check first, if there is one; else -1
 * with errno. */
static int walk_path(const char *path, int directory, int flags, path_check *check, void *context)
{
    struct walk walk = {.rest = alloc_string(path)};
    struct stat status;
    int result = 0;

    walk.at = open_outside_proc(directory, path[0] == '/' ? "/" : ".", &status);
    if (walk.at < 0)
        result = -1;
    else if (check != NULL && check(walk.at, &status, context))
        result = 1;
    while (result == 0 && walk.rest[strspn(walk.rest, "/")] != '\0')
        result = step(&walk, flags, check, context);
    int error = errno;
    free(walk.rest);
    if (result < 0 || (result == 0 && check != NULL))
        return fail(walk.at, error);
    if ((flags & O_DIRECTORY) != 0 && (fstat(walk.at, &status) < 0 || !S_ISDIR(status.st_mode)))
        return fail(walk.at, ENOTDIR);
    return walk.at;
}

/* After a failure the path is walked, where that can do more or knows more. */
static int open_from(int directory, const char *path, int flags)
{
    int fd = open_at_once(directory, path, flags, NO_MAGICLINKS);

    if (fd >= 0 || path[0] == '\0' || (errno != ENOSYS && errno != ELOOP))
        return fd;
    return walk_path(path, directory, flags, NULL, NULL);
}

int path_open(const char *path, size_t typed, int flags)
{
    const char *rest = path + typed + strspn(path + typed, "/");

    if (typed == 0)
        return open_from(AT_FDCWD, path, flags);
    if (*rest == '\0')
        return open(path, O_PATH | O_CLOEXEC | flags);
    char *start = alloc_span(path, typed);
    int directory = open(start, O_PATH | O_DIRECTORY | O_CLOEXEC);
    free(start);
    int fd = directory < 0 ? -1 : open_from(directory, rest, flags);
    (void)fail(directory, errno);
    return fd;
}

int path_status(const char *path, int flags, struct stat *status)
{
    int fd = path_open(path, 0, flags);
    int error = fd < 0 || fstat(fd, status) < 0 ? errno : 0;

    descriptors_close(&fd);
    return error;
}

const char *path_error(int error)
{
    return error == EXDEV ? "leads through a link of /proc" : strerror(error);
}

char *path_find(const char *path, path_check *check, void *context)
{
    char name[sizeof(DESCRIPTORS_PATH) + 3 * sizeof(int)], found[PATH_MAX];
    int place = walk_path(path, AT_FDCWD, 0, check, context);

    if (place < 0)
        return NULL;
    (void)snprintf(name, sizeof(name), DESCRIPTORS_PATH, place);
    ssize_t length = readlink(name, found, sizeof(found));
    close(place);
    return length < 0 ? alloc_string(path) : alloc_span(found, (size_t)length);
}
