/* SPDX-License-Identifier: MIT */
/* Opens paths with openat2(2), or component by component. */
#include "base/path.h"
#include "base/alloc.h"
#include "base/descriptors.h"
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/magic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/statfs.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/uio.h>
#include <unistd.h>

/* openat2(2), as in linux/openat2.h, which is missing before Linux 5.6. */
#ifndef SYS_openat2
#define SYS_openat2 437
#endif
#define NO_MAGICLINKS 0x02
#define NO_SYMLINKS 0x04
#define CACHED 0x20 /* Linux 5.12 */
struct open_manner {
    uint64_t flags, mode, resolve;
};

/* Of statx(2) and preadv2(2), which C libraries may lack. */
#define DO_NOT_SYNC 0x4000
#define NO_WAIT 0x8

/* As many links as Linux follows. */
#define LINKS_MAXIMUM 40

/* File systems without a disk of their own (zfs has several) that ask no other host and no process.
 */
static const char *const local[] = {"bcachefs", "btrfs", "overlay", "ramfs",
                                    "rootfs",   "tmpfs", "zfs"};

/* How long file systems that do not answer may hold a run without -t, in all. */
#define SPARE_TIME (40 * CLOCK_SECOND)

static const struct limits *limits;
static bool must_wait;
static struct workers *workers;
static UT_array *late; /* paths that were asked about and had no answer */

void path_limit(const struct limits *to)
{
    limits = to;
    if (to != NULL)
        return;
    workers_free(workers);
    workers = NULL;
    if (late != NULL)
        utarray_free(late);
    late = NULL;
}

static bool may_wait(void)
{
    return limits == NULL || worker_is_running();
}

bool path_must_wait(void)
{
    bool had_to = must_wait;

    must_wait = false;
    return had_to;
}

/* Returns -1 with errno. */
static int leave_to_worker(void)
{
    must_wait = true;
    errno = EAGAIN;
    return -1;
}

static int compare(const void *left, const void *right)
{
    const uint64_t *a = left, *b = right;

    return (*a > *b) - (*a < *b);
}

/* Returns the numbers of the mounts that are local, sorted. proc_pid_mountinfo(5) */
static UT_array *find_local_mounts(void)
{
    static const UT_icd icd = {sizeof(uint64_t), NULL, NULL, NULL};
    FILE *file = fopen("/proc/self/mountinfo", "re");
    UT_array *mounts;
    char *line = NULL;
    size_t size = 0;

    utarray_new(mounts, &icd);
    utarray_reserve(mounts, 1); /* qsort(3) and bsearch(3) accept no NULL */
    while (file != NULL && getline(&line, &size, file) > 0) {
        const char *type = strstr(line, " - ");
        uint64_t number = strtoull(line, NULL, 10);

        for (size_t i = 0; type != NULL && i < sizeof(local) / sizeof(local[0]); i++)
            if (strncmp(type + 3, local[i], strlen(local[i])) == 0 &&
                type[3 + strlen(local[i])] == ' ')
                utarray_push_back(mounts, &number);
    }
    free(line);
    if (file != NULL)
        (void)fclose(file);
    utarray_sort(mounts, compare);
    return mounts;
}

/* EPERM is the word of a filter that does not know the call. */
static bool is_missing(int error)
{
    return error == ENOSYS || error == EPERM;
}

int path_describe(int fd, unsigned mask, struct path_details *found)
{
    struct stat status;
    int flags = AT_EMPTY_PATH | (mask == 0 ? DO_NOT_SYNC : 0);

    if (syscall(SYS_statx, fd, "", flags, mask, found) == 0)
        return 0;
    if (mask == 0 || !is_missing(errno) || fstat(fd, &status) < 0)
        return errno;
    *found = (struct path_details){.mask = PATH_BASIC,
                                   .links = (uint32_t)status.st_nlink,
                                   .mode = (uint16_t)status.st_mode,
                                   .inode = status.st_ino,
                                   .device_major = major(status.st_dev),
                                   .device_minor = minor(status.st_dev)};
    return 0;
}

bool path_is_near(int fd)
{
    static UT_array *mounts;
    struct path_details details;

    if (limits == NULL)
        return true;
    if (path_describe(fd, 0, &details) != 0)
        return false;
    if (details.device_major != 0)
        return true; /* a disk */
    if ((details.mask & PATH_MOUNT) == 0)
        return false;
    if (mounts == NULL)
        mounts = find_local_mounts();
    return utarray_find(mounts, &details.mount, compare) != NULL;
}

/* Returns a descriptor, or -1 with errno: ENOSYS without openat2(2), of which EPERM is a filter's
 * word. */
static int open_at_once(int directory, const char *path, int flags, uint64_t resolve)
{
    struct open_manner manner = {.flags = (uint64_t)(O_PATH | O_CLOEXEC | flags),
                                 .resolve = resolve | (may_wait() ? 0 : CACHED)};
    int fd = (int)syscall(SYS_openat2, directory, path, &manner, sizeof(manner));

    if (fd < 0 && errno == EPERM)
        errno = ENOSYS;
    if (may_wait() || (fd < 0 && errno != EAGAIN && errno != EINVAL && errno != ENOSYS))
        return fd;
    if (fd >= 0 && path_is_near(fd))
        return fd;
    descriptors_close(&fd);
    return leave_to_worker();
}

ssize_t path_read(int fd, void *text, size_t length, off_t offset)
{
    const struct iovec piece = {text, length};

    if (may_wait())
        return pread(fd, text, length, offset);
    /* another process can lock a file for reading, too */
    ssize_t count =
        syscall(SYS_preadv2, fd, &piece, 1L, (long)offset, (long)((uint64_t)offset >> 32), NO_WAIT);
    if (count < 0 && errno == EOPNOTSUPP)
        return pread(fd, text, length, offset);
    return count < 0 && (errno == EAGAIN || is_missing(errno)) ? leave_to_worker() : count;
}

/* A question: what to do with the rest. */
struct question {
    worker_function *work;
    char rest[];
};

static int answer(const void *asked, size_t length, void *answer)
{
    const struct question *question = asked;

    return question->work(question->rest, length - sizeof(*question), answer);
}

/* Whether something above it did not answer before. */
static bool is_late(const char *path)
{
    for (size_t i = 0; late != NULL && i < utarray_len(late); i++) {
        const char *above = strings_item(late, i);

        if (strncmp(path, above, strlen(above)) == 0 &&
            (path[strlen(above)] == '/' || path[strlen(above)] == '\0'))
            return true;
    }
    return false;
}

/* A quarter of the time that is left for each that does not answer, so that there is some for all
 * others. */
static int64_t find_share(int64_t spare)
{
    int64_t left = limits->end == CLOCK_NEVER ? spare : limits->end - clock_now();

    return (left < spare ? left : spare) / 4;
}

int path_ask(worker_function *work, const char *path, const void *question, size_t length,
             void *answered, size_t size, int *fd)
{
    static int64_t spare = SPARE_TIME;
    struct question *whole = alloc_bytes(sizeof(*whole) + length);
    struct worker_task task = {.question = whole, .length = sizeof(*whole) + length, .fd = -1};

    whole->work = work;
    memcpy(whole->rest, question, length);
    task.answer = alloc_zeroed(1, PATH_ANSWER_MAXIMUM);
    if (workers == NULL)
        workers = workers_new(answer, PATH_ANSWER_MAXIMUM);
    if (is_late(path)) {
        task.result = WORKER_LATE;
    } else {
        int64_t started = clock_now();

        workers_run(workers, &task, 1, 1, find_share(spare), limits);
        if (task.result == WORKER_LATE) {
            spare -= clock_now() - started;
            if (late == NULL)
                utarray_new(late, &strings_icd);
            strings_append(late, "%s", path);
        }
    }
    memcpy(answered, task.answer, size);
    free(task.answer);
    free(whole);
    if (fd != NULL)
        *fd = task.fd;
    if (task.result == WORKER_ANSWERED)
        return 0;
    return task.result == WORKER_REFUSED ? task.error
           : signals_received() != 0     ? EINTR
           : task.result == WORKER_ENDED ? EIO
                                         : ETIMEDOUT;
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

/* Opens what the administrator typed: in this process where it means something else in a worker. */
static int open_typed(const char *path, int flags)
{
    bool is_own =
        path[0] != '/' || strncmp(path, "/proc/", 6) == 0 || strncmp(path, "/dev/", 5) == 0;

    return is_own || may_wait() ? open(path, O_PATH | O_CLOEXEC | flags)
                                : open_at_once(AT_FDCWD, path, flags, 0);
}

int path_open(const char *path, size_t typed, int flags)
{
    const char *rest = path + typed + strspn(path + typed, "/");

    if (typed == 0)
        return open_from(AT_FDCWD, path, flags);
    if (*rest == '\0')
        return open_typed(path, flags);
    char *start = alloc_span(path, typed);
    int directory = open_typed(start, O_DIRECTORY);
    free(start);
    int fd = directory < 0 ? -1 : open_from(directory, rest, flags);
    (void)fail(directory, errno);
    return fd;
}

/* A question to a worker, with a path of a length that is known. */
struct status_question {
    int flags;
    char path[];
};

struct status_answer {
    int error;
    struct stat status;
};

static int find_place(const char *path, int flags, struct status_answer *found)
{
    int fd = path_open(path, 0, flags);

    found->error = fd < 0 || fstat(fd, &found->status) < 0 ? errno : 0;
    return fd;
}

static int answer_place(const void *asked, size_t length, void *answered)
{
    const struct status_question *question = asked;

    (void)length;
    return find_place(question->path, question->flags, answered);
}

int path_place(const char *path, int flags, struct stat *status)
{
    struct status_answer found = {0};
    int fd = find_place(path, flags, &found);

    if (path_must_wait()) {
        size_t length = sizeof(struct status_question) + strlen(path) + 1;
        struct status_question *question = alloc_bytes(length);

        descriptors_close(&fd);
        question->flags = flags;
        memcpy(question->path, path, strlen(path) + 1);
        int error = path_ask(answer_place, path, question, length, &found, sizeof(found), &fd);
        if (error != 0)
            found.error = error;
        free(question);
    }
    *status = found.status;
    return found.error == 0 ? fd : fail(fd, found.error);
}

int path_status(const char *path, int flags, struct stat *status)
{
    int fd = path_place(path, flags, status);
    int error = fd < 0 ? errno : 0;

    descriptors_close(&fd);
    return error;
}

struct room_answer {
    int error;
    struct statvfs room;
};

static int find_room(const void *asked, size_t length, void *answered)
{
    struct room_answer *found = answered;
    int fd = path_open(asked, 0, 0);

    (void)length;
    found->error = fd < 0 || fstatvfs(fd, &found->room) < 0 ? errno : 0;
    descriptors_close(&fd);
    return -1;
}

int path_room(const char *path, struct statvfs *room)
{
    struct room_answer found = {0};

    (void)find_room(path, strlen(path) + 1, &found);
    if (path_must_wait()) {
        int error = path_ask(find_room, path, path, strlen(path) + 1, &found, sizeof(found), NULL);
        if (error != 0)
            found.error = error;
    }
    *room = found.room;
    return found.error;
}

const char *path_error(int error)
{
    return error == EXDEV       ? "leads through a link of /proc"
           : error == ETIMEDOUT ? "the file system does not answer"
                                : strerror(error);
}

/* What is asked of a worker, and its answer. */
struct search {
    path_check *check;
    _Alignas(max_align_t) char context[sizeof(struct stat)];
    char path[PATH_MAX]; /* "" for none */
};

static int search(const void *asked, size_t length, void *answered)
{
    struct search *found = answered;
    char name[sizeof(DESCRIPTORS_PATH) + 3 * sizeof(int)];

    memcpy(found, asked, length);
    int place = walk_path(found->path, AT_FDCWD, 0, found->check, found->context);
    found->path[0] = '\0';
    if (place < 0)
        return -1;
    (void)snprintf(name, sizeof(name), DESCRIPTORS_PATH, place);
    ssize_t count = readlink(name, found->path, sizeof(found->path) - 1);
    found->path[count < 0 ? 0 : count] = '\0';
    close(place);
    return -1;
}

char *path_find(const char *path, path_check *check, void *context, size_t size)
{
    struct search asked = {.check = check}, found;

    if (strlen(path) >= sizeof(asked.path))
        return NULL;
    (void)snprintf(asked.path, sizeof(asked.path), "%s", path);
    if (size > 0)
        memcpy(asked.context, context, size);
    (void)search(&asked, sizeof(asked), &found);
    if (path_must_wait() &&
        path_ask(search, path, &asked, sizeof(asked), &found, sizeof(found), NULL) != 0)
        return NULL;
    if (size > 0)
        memcpy(context, found.context, size);
    return found.path[0] == '\0' ? NULL : alloc_string(found.path);
}
