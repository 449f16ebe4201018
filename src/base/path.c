/* SPDX-License-Identifier: MIT */
/* Opens paths with openat2(2), or component by component, and reads files. */
#include "base/path.h"
#include "base/alloc.h"
#include "base/descriptors.h"
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/magic.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/statfs.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/uio.h>
#include <sys/xattr.h>
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

/* preadv2(2), which C libraries may lack. */
#define NO_WAIT 0x8

/* statx(2), as in linux/stat.h: musl lacks it before 1.2.5. */
#define DO_NOT_SYNC 0x4000
#define BASIC 0x7ffU
#define BIRTH 0x800U
#define MOUNT 0x1000U /* Linux 5.8; filled in also where it is not asked for */
struct statx_answer {
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

/* As many links as Linux follows. */
#define LINKS_MAXIMUM 40

/* File systems without a disk of their own (zfs has several) that ask no other host and no process.
 */
static const char *const local[] = {"bcachefs", "btrfs", "overlay", "ramfs",
                                    "rootfs",   "tmpfs", "zfs"};

/* How long file systems that do not answer may hold a run without -t, in all. */
#define SPARE_TIME (40 * CLOCK_SECOND)

static bool must_wait;
static pid_t program;  /* whose workers these are */
static UT_array *late; /* paths that were asked about and had no answer */

static bool may_wait(void)
{
    return limits_of_run == NULL;
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

static void translate(const struct statx_answer *answer, struct path_details *found)
{
    *found = (struct path_details){
        .status = {.st_dev = makedev(answer->device_major, answer->device_minor),
                   .st_ino = (ino_t)answer->inode,
                   .st_mode = answer->mode,
                   .st_nlink = answer->links,
                   .st_uid = answer->user,
                   .st_gid = answer->group,
                   .st_size = (off_t)answer->size,
                   .st_mtim = {(time_t)answer->modified.seconds,
                               (long)answer->modified.nanoseconds},
                   .st_ctim = {(time_t)answer->changed.seconds, (long)answer->changed.nanoseconds}},
        .born = (answer->mask & BIRTH) == 0
                    ? 0
                    : answer->born.seconds * 1000000000 + answer->born.nanoseconds};
}

/* EPERM is the word of a filter that does not know the call. */
static bool is_missing(int error)
{
    return error == ENOSYS || error == EPERM;
}

/* Returns 0 or an errno. Without the birth where the kernel has no statx(2). */
static int describe(int fd, struct path_details *found)
{
    struct statx_answer answer;

    *found = (struct path_details){0};
    if (syscall(SYS_statx, fd, "", AT_EMPTY_PATH, BASIC | BIRTH, &answer) == 0)
        translate(&answer, found);
    else if (!is_missing(errno) || fstat(fd, &found->status) < 0)
        return errno;
    return 0;
}

/* Whether that is on a local file system. */
static bool is_near(const struct statx_answer *answer)
{
    static UT_array *mounts;

    if (answer->device_major != 0)
        return true; /* a disk */
    if ((answer->mask & MOUNT) == 0)
        return false;
    if (mounts == NULL)
        mounts = find_local_mounts();
    return utarray_find(mounts, &answer->mount, compare) != NULL;
}

bool path_is_near(int fd)
{
    struct statx_answer answer;

    return may_wait() ||
           (syscall(SYS_statx, fd, "", AT_EMPTY_PATH | DO_NOT_SYNC, 0, &answer) == 0 &&
            is_near(&answer));
}

/* Closes the descriptor, and sets errno. Returns -1. */
static int fail(int fd, int error)
{
    descriptors_close(&fd);
    errno = error;
    return -1;
}

/* Returns the descriptor, described; or -1 with errno, also if it is -1. */
static int described(int fd, struct path_details *found)
{
    int error = fd < 0 ? errno : describe(fd, found);

    return error == 0 ? fd : fail(fd, error);
}

/* Returns a descriptor, or -1 with errno: ENOSYS without openat2(2), of which EPERM is a filter's
 * word. */
static int open_at_once(int directory, const char *path, int flags, uint64_t resolve,
                        struct path_details *found)
{
    struct open_manner manner = {.flags = (uint64_t)(O_PATH | O_CLOEXEC | flags),
                                 .resolve = resolve | (may_wait() ? 0 : CACHED)};
    struct statx_answer answer;
    int fd = (int)syscall(SYS_openat2, directory, path, &manner, sizeof(manner));

    if (fd < 0 && errno == EPERM)
        errno = ENOSYS;
    if (may_wait())
        return described(fd, found);
    if (fd < 0 && errno != EAGAIN && errno != EINVAL && errno != ENOSYS)
        return -1;
    /* what is in the cache is not asked for */
    if (fd >= 0 &&
        syscall(SYS_statx, fd, "", AT_EMPTY_PATH | DO_NOT_SYNC, BASIC | BIRTH, &answer) == 0 &&
        is_near(&answer)) {
        translate(&answer, found);
        return fd;
    }
    descriptors_close(&fd);
    return leave_to_worker();
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
    int64_t end = limits_of_run->end, left = end == CLOCK_NEVER ? spare : end - clock_now();

    return (left < spare ? left : spare) / 4;
}

static int ask_worker(struct worker_task *task, const char *path)
{
    static int64_t spare = SPARE_TIME;
    int64_t started = clock_now();

    if (is_late(path))
        return ETIMEDOUT;
    program = getpid();
    workers_run(task, 1, 1, find_share(spare), limits_of_run);
    switch (task->result) {
    case WORKER_ANSWERED:
        return 0;
    case WORKER_REFUSED:
        return task->error;
    case WORKER_LATE:
        spare -= clock_now() - started;
        if (late == NULL)
            utarray_new(late, &strings_icd);
        strings_append(late, "%s", path);
        break;
    case WORKER_UNASKED:
    case WORKER_STOPPED:
    case WORKER_ENDED:
        break;
    }
    return signals_received() != 0 ? EINTR : task->result == WORKER_ENDED ? EIO : ETIMEDOUT;
}

/* Whether the work that was done here is for a worker. */
static bool had_to_wait(void)
{
    bool had_to = must_wait;

    must_wait = false;
    return had_to;
}

int path_ask(worker_function *work, const char *path, bool is_far, const void *question,
             size_t length, void *answer, size_t size, int *fd)
{
    struct worker_task task = {.work = work,
                               .question = question,
                               .length = length,
                               .is_relative = path[0] != '/' || strncmp(path, "/proc/", 6) == 0,
                               .answer = answer,
                               .size = size,
                               .fd = -1};
    int error = 0;

    if (!is_far)
        task.fd = work(question, length, answer);
    if (is_far || had_to_wait()) {
        descriptors_close(&task.fd);
        error = ask_worker(&task, path);
    }
    if (fd != NULL)
        *fd = task.fd;
    return error;
}

int path_open_direct(int directory, const char *path, int flags, struct path_details *found)
{
    int fd = open_at_once(directory, path, O_NOFOLLOW | flags, NO_SYMLINKS, found);

    if (fd >= 0 || errno != ENOSYS || (strchr(path, '/') != NULL && strcmp(path, "/") != 0))
        return fd;
    return described(openat(directory, path, O_PATH | O_NOFOLLOW | O_CLOEXEC | flags), found);
}

/* A path that is looked up component by component. */
struct walk {
    char *rest; /* what is left of the path */
    int at;     /* what is open so far; -1 after a failure */
    int links;  /* that were followed */
};

/* Opens what is not in /proc. Returns a descriptor, or -1 with errno. */
static int open_outside_proc(int directory, const char *name, struct path_details *found)
{
    int fd = path_open_direct(directory, name, 0, found);
    struct statfs system;

    if (fd >= 0 && fstatfs(fd, &system) < 0)
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
    struct path_details found;

    memmove(walk->rest, walk->rest + blanks + length, strlen(walk->rest + blanks + length) + 1);
    int next = open_outside_proc(walk->at, name, &found);
    free(name);
    if (next < 0)
        return -1;
    bool is_found = check != NULL && check(next, &found.status, context);
    bool is_followed = !is_found && S_ISLNK(found.status.st_mode) &&
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
static int walk_path(const char *path, int directory, int flags, path_check *check, void *context,
                     struct path_details *found)
{
    struct walk walk = {.rest = alloc_string(path)};
    int result = 0;

    walk.at = open_outside_proc(directory, path[0] == '/' ? "/" : ".", found);
    if (walk.at < 0)
        result = -1;
    else if (check != NULL && check(walk.at, &found->status, context))
        result = 1;
    while (result == 0 && walk.rest[strspn(walk.rest, "/")] != '\0')
        result = step(&walk, flags, check, context);
    int error = errno;
    free(walk.rest);
    if (result < 0 || (result == 0 && check != NULL))
        return fail(walk.at, error);
    int fd = described(walk.at, found);
    return fd >= 0 && (flags & O_DIRECTORY) != 0 && !S_ISDIR(found->status.st_mode)
               ? fail(fd, ENOTDIR)
               : fd;
}

/* After a failure the path is walked, where that can do more or knows more. */
static int open_from(int directory, const char *path, int flags, struct path_details *found)
{
    int fd = open_at_once(directory, path, flags, NO_MAGICLINKS, found);

    if (fd >= 0 || path[0] == '\0' || (errno != ENOSYS && errno != ELOOP))
        return fd;
    return walk_path(path, directory, flags, NULL, NULL, found);
}

/* Returns what the administrator typed as this process has to name it, a new string: the current
 * directory and /proc/self are those of the program, not of a worker. */
static char *name_typed(const char *path)
{
    static const char self[] = "/proc/self";
    bool is_worker = program != 0 && program != getpid();

    if (is_worker && path[0] != '/')
        return alloc_format("/proc/%d/cwd/%s", (int)program, path);
    if (is_worker && strncmp(path, self, strlen(self)) == 0)
        return alloc_format("/proc/%d%s", (int)program, path + strlen(self));
    return alloc_string(path);
}

static int open_typed(const char *path, int flags, struct path_details *found)
{
    char *name = name_typed(path);
    bool is_own = strncmp(name, "/dev/", 5) == 0; /* a descriptor, perhaps */
    int fd = is_own || may_wait() ? described(open(name, O_PATH | O_CLOEXEC | flags), found)
                                  : open_at_once(AT_FDCWD, name, flags, 0, found);
    int error = errno;

    free(name);
    errno = error;
    return fd;
}

int path_open(const char *path, size_t typed, int flags, struct path_details *found)
{
    const char *rest = path + typed + strspn(path + typed, "/");

    if (typed == 0)
        return open_from(AT_FDCWD, path, flags, found);
    if (*rest == '\0')
        return open_typed(path, flags, found);
    char *start = alloc_span(path, typed);
    int directory = open_typed(start, O_DIRECTORY, found);
    free(start);
    int fd = directory < 0 ? -1 : open_from(directory, rest, flags, found);
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
    struct path_details details;
};

static int find_place(const void *asked, size_t length, void *answered)
{
    const struct status_question *question = asked;
    struct status_answer *found = answered;
    int fd = path_open(question->path, 0, question->flags, &found->details);

    (void)length;
    found->error = fd < 0 ? errno : 0;
    return fd;
}

int path_place(const char *path, int flags, struct stat *status)
{
    size_t length = sizeof(struct status_question) + strlen(path) + 1;
    struct status_question *question = alloc_bytes(length);
    struct status_answer found = {0};
    int fd;

    question->flags = flags;
    memcpy(question->path, path, strlen(path) + 1);
    int error = path_ask(find_place, path, false, question, length, &found, sizeof(found), &fd);
    free(question);
    *status = found.details.status;
    error = error != 0 ? error : found.error;
    return error == 0 ? fd : fail(fd, error);
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
    struct path_details details;
    int fd = path_open(asked, 0, 0, &details);

    (void)length;
    found->error = fd < 0 || fstatvfs(fd, &found->room) < 0 ? errno : 0;
    descriptors_close(&fd);
    return -1;
}

int path_room(const char *path, struct statvfs *room)
{
    struct room_answer found = {0};
    int error =
        path_ask(find_room, path, false, path, strlen(path) + 1, &found, sizeof(found), NULL);

    *room = found.room;
    return error != 0 ? error : found.error;
}

const char *path_error(int error)
{
    return error == EXDEV       ? "leads through a link of /proc"
           : error == ETIMEDOUT ? "the file system does not answer"
           : error == EINTR     ? "interrupted"
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
    struct path_details details;

    memcpy(found, asked, length);
    int place = walk_path(found->path, AT_FDCWD, 0, found->check, found->context, &details);
    found->path[0] = '\0';
    if (place < 0)
        return -1;
    ssize_t count = readlink(descriptors_path(place).text, found->path, sizeof(found->path) - 1);
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
    if (path_ask(search, path, false, &asked, sizeof(asked), &found, sizeof(found), NULL) != 0)
        return NULL;
    if (size > 0)
        memcpy(context, found.context, size);
    return found.path[0] == '\0' ? NULL : alloc_string(found.path);
}

/* How often a file that changes is read. */
#define ATTEMPTS 3

static int check_status(const char *path, const struct stat *status, size_t maximum, char **error)
{
    if (S_ISDIR(status->st_mode)) {
        /* Postfix opens it and fails in read(2) */
        alloc_set_text(error, "read %s: %s", path, strerror(EISDIR));
        return -1;
    }
    if (!S_ISREG(status->st_mode)) {
        alloc_set_text(error, "open %s: not a regular file", path);
        return -1;
    }
    if (status->st_size < 0 || (size_t)status->st_size > maximum) {
        alloc_set_text(error, "open %s: file is larger than %zu bytes", path, maximum);
        return -1;
    }
    return 0;
}

/* Whether another user's link leads to a file that this user might not read: messages would quote
 * it. */
static bool is_lured(uid_t owner, const struct stat *status)
{
    return owner != 0 && owner != geteuid() && owner != status->st_uid &&
           (status->st_mode & S_IROTH) == 0;
}

/* Returns a descriptor, or -1 with *missing if the file does not exist. */
static int open_file(const char *path, size_t typed, size_t maximum, struct stat *status,
                     bool *missing, char **error)
{
    struct path_details found;
    int place = path_open(path, typed, O_NOFOLLOW, &found), fd = -1;
    uid_t owner = place >= 0 && S_ISLNK(found.status.st_mode) ? found.status.st_uid : 0;

    if (place >= 0 && S_ISLNK(found.status.st_mode)) {
        close(place);
        place = path_open(path, typed, 0, &found);
    }
    *missing = place < 0 && (errno == ENOENT || errno == ENOTDIR);
    if (place < 0) {
        alloc_set_text(error, "open %s: %s", path, path_error(errno));
        return -1;
    }
    *status = found.status;
    if (is_lured(owner, status)) {
        alloc_set_text(error, "open %s: another user's link to a file that not everybody may read",
                       path);
    } else if (check_status(path, status, maximum, error) == 0) {
        fd = descriptors_reopen(place, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
        if (fd < 0)
            alloc_set_text(error, "open %s: %s", path,
                           errno == EAGAIN ? "another process has a lease on it" : strerror(errno));
    }
    close(place);
    return fd;
}

static bool same_content(const struct stat *before, const struct stat *after)
{
    return before->st_size == after->st_size && before->st_mtim.tv_sec == after->st_mtim.tv_sec &&
           before->st_mtim.tv_nsec == after->st_mtim.tv_nsec &&
           before->st_ctim.tv_sec == after->st_ctim.tv_sec &&
           before->st_ctim.tv_nsec == after->st_ctim.tv_nsec;
}

/* As pread(2). */
static ssize_t read_piece(int fd, void *text, size_t length, off_t offset)
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

/* Reads up to length bytes from the start of the file. Returns the count, or -1 with errno. */
static ssize_t read_all(int fd, char *text, size_t length)
{
    size_t have = 0;

    while (have < length) {
        ssize_t count = read_piece(fd, text + have, length - have, (off_t)have);

        if (count < 0 && errno == EINTR)
            continue;
        if (count < 0)
            return -1;
        if (count == 0)
            break;
        have += (size_t)count;
    }
    return (ssize_t)have;
}

enum attempt_result { ATTEMPT_DONE, ATTEMPT_CHANGED, ATTEMPT_ERROR };

/* Reads the file once; it is complete if it still is as *status describes it. */
static enum attempt_result read_once(int fd, const char *path, struct stat *status,
                                     struct path_file *file, char **error)
{
    struct stat after;
    size_t size = (size_t)status->st_size;

    file->text = alloc_resize(file->text, size + 1);
    ssize_t count = read_all(fd, file->text, size);
    if (count < 0) {
        alloc_set_text(error, "read %s: %s", path, strerror(errno));
        return ATTEMPT_ERROR;
    }
    if (fstat(fd, &after) < 0) {
        alloc_set_text(error, "fstat %s: %s", path, strerror(errno));
        return ATTEMPT_ERROR;
    }
    bool unchanged = (size_t)count == size && same_content(status, &after);
    *status = after;
    if (!unchanged)
        return ATTEMPT_CHANGED;
    file->text[size] = '\0';
    file->length = size;
    return ATTEMPT_DONE;
}

/* Reads it in this process. */
static enum path_result read_here(const char *path, size_t typed, size_t maximum,
                                  struct path_file *file, char **error)
{
    struct stat status;
    bool missing;
    enum attempt_result result = ATTEMPT_CHANGED;

    *file = (struct path_file){0};
    file->fd = open_file(path, typed, maximum, &status, &missing, error);
    if (file->fd < 0)
        return missing ? PATH_MISSING : PATH_ERROR;
    for (int i = 0; i < ATTEMPTS && result == ATTEMPT_CHANGED; i++)
        result = check_status(path, &status, maximum, error) < 0
                     ? ATTEMPT_ERROR
                     : read_once(file->fd, path, &status, file, error);
    file->others_write = result == ATTEMPT_DONE && path_others_write(file->fd, &status);
    file->others_read = (status.st_mode & S_IROTH) != 0;
    file->owner = status.st_uid;
    if (result == ATTEMPT_CHANGED) {
        alloc_set_text(error, "read %s: file keeps changing while it is read", path);
    } else if (result == ATTEMPT_DONE && memchr(file->text, '\0', file->length) != NULL) {
        alloc_set_text(error, "read %s: file contains a null byte", path);
    } else if (result == ATTEMPT_DONE) {
        return PATH_OK;
    }
    path_file_free(file);
    return PATH_ERROR;
}

/* What is asked of a worker. */
struct read_question {
    size_t typed, maximum;
    char path[];
};

/* Its answer; the text is in a file that comes with it. */
struct read_answer {
    enum path_result result;
    struct path_file file;
    char error[PATH_MAX + 256]; /* cut if it is longer */
};

static int answer_read(const void *asked, size_t length, void *answered)
{
    const struct read_question *question = asked;
    struct read_answer *answer = answered;
    char *error = NULL;
    int fd = -1;

    (void)length;
    answer->result =
        read_here(question->path, question->typed, question->maximum, &answer->file, &error);
    if (answer->result == PATH_OK) {
        fd = descriptors_open_unnamed(true);
        if (fd < 0 ||
            pwrite(fd, answer->file.text, answer->file.length, 0) != (ssize_t)answer->file.length) {
            alloc_set_text(&error, "read %s: %s", question->path, strerror(errno));
            answer->result = PATH_ERROR;
        }
        descriptors_close(&answer->file.fd);
        free(answer->file.text);
    }
    (void)snprintf(answer->error, sizeof(answer->error), "%s", error == NULL ? "" : error);
    free(error);
    return fd;
}

/* Has a worker read it. */
static enum path_result read_there(const char *path, size_t typed, size_t maximum,
                                   struct path_file *file, char **error)
{
    size_t length = sizeof(struct read_question) + strlen(path) + 1;
    struct read_question *question = alloc_bytes(length);
    struct read_answer found;
    int fd;

    *question = (struct read_question){.typed = typed, .maximum = maximum};
    memcpy(question->path, path, strlen(path) + 1);
    int failure = path_ask(answer_read, path, true, question, length, &found, sizeof(found), &fd);
    free(question);
    if (failure != 0) {
        alloc_set_text(error, "open %s: %s", path, path_error(failure));
        return PATH_ERROR;
    }
    if (found.result != PATH_OK) {
        descriptors_close(&fd);
        alloc_set_text(error, "%s", found.error);
        return found.result;
    }
    *file = found.file;
    file->fd = fd;
    file->text = alloc_bytes(file->length + 1);
    if (pread(fd, file->text, file->length, 0) != (ssize_t)file->length)
        alloc_fail();
    file->text[file->length] = '\0';
    return PATH_OK;
}

enum path_result path_read(const char *path, size_t typed, size_t maximum, struct path_file *file,
                           char **error)
{
    enum path_result result = read_here(path, typed, maximum, file, error);

    if (!had_to_wait())
        return result;
    free(*error);
    *error = NULL;
    path_file_free(file);
    return read_there(path, typed, maximum, file, error);
}

/* With an ACL, the group's bits are the most that any user in it has. */
bool path_others_write(int fd, const struct stat *status)
{
    static const char acl[] = "system.posix_acl_access";

    /* fgetxattr(2) refuses O_PATH */
    return status->st_uid != 0 || (status->st_mode & S_IWOTH) != 0 ||
           ((status->st_mode & S_IWGRP) != 0 &&
            (status->st_gid != 0 || getxattr(descriptors_path(fd).text, acl, NULL, 0) > 0));
}

void path_file_free(struct path_file *file)
{
    free(file->text);
    descriptors_close(&file->fd);
    *file = (struct path_file){.fd = -1};
}
