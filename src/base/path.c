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

#ifndef STATX_BASIC_STATS /* musl before 1.2.5 */
#include <linux/stat.h>
#endif

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

/* As many links as Linux follows. */
#define LINKS_MAXIMUM 40

/* File systems without a disk of their own (zfs has several) that ask no other host and no process.
 */
static const char *const local[] = {"bcachefs", "btrfs", "overlay", "ramfs",
                                    "rootfs",   "tmpfs", "zfs"};

/* How long file systems that do not answer may hold a run without -t, in all. */
#define SPARE_TIME (40 * CLOCK_SECOND)

static bool must_wait;
static pid_t program;   /* whose workers these are */
static long own_number; /* the program's in /proc, perhaps of another PID namespace; 0: none */
static UT_array *late;  /* paths that were asked about and had no answer */

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

static void translate(const struct statx *answer, struct path_details *found)
{
    const struct statx_timestamp *born = &answer->stx_btime;

    *found = (struct path_details){
        .status = {.st_dev = makedev(answer->stx_dev_major, answer->stx_dev_minor),
                   .st_ino = (ino_t)answer->stx_ino,
                   .st_mode = answer->stx_mode,
                   .st_nlink = answer->stx_nlink,
                   .st_uid = answer->stx_uid,
                   .st_gid = answer->stx_gid,
                   .st_size = (off_t)answer->stx_size,
                   .st_mtim = {(time_t)answer->stx_mtime.tv_sec, answer->stx_mtime.tv_nsec},
                   .st_ctim = {(time_t)answer->stx_ctime.tv_sec, answer->stx_ctime.tv_nsec}},
        .born = answer->stx_mask & STATX_BTIME ? born->tv_sec * 1000000000 + born->tv_nsec : 0};
}

/* EPERM is the word of a filter that does not know the call. */
static bool is_missing(int error)
{
    return error == ENOSYS || error == EPERM;
}

static bool ask_status(int fd, int flags, struct statx *answer)
{
    return syscall(SYS_statx, fd, "", AT_EMPTY_PATH | flags, STATX_BASIC_STATS | STATX_BTIME,
                   answer) == 0;
}

/* Whether that is on a local file system. */
static bool is_near(const struct statx *answer)
{
    static UT_array *mounts;
    uint64_t mount = 0;

#ifdef STATX_MNT_ID /* Linux 5.8; without it, what has no disk counts as not local */
    mount = answer->stx_mask & STATX_MNT_ID ? answer->stx_mnt_id : 0;
#endif
    if (answer->stx_dev_major != 0)
        return true; /* a disk */
    if (mounts == NULL)
        mounts = find_local_mounts();
    return utarray_find(mounts, &mount, compare) != NULL;
}

bool path_is_near(int fd)
{
    struct statx answer;

    return may_wait() || (ask_status(fd, AT_STATX_DONT_SYNC, &answer) && is_near(&answer));
}

/* Closes the descriptor, and sets errno. Returns -1. */
static int fail(int fd, int error)
{
    descriptors_close(&fd);
    errno = error;
    return -1;
}

/* Returns the descriptor, described; or -1 with errno, also if it is -1. Without the birth where
 * the kernel has no statx(2). */
static int described(int fd, struct path_details *found)
{
    struct statx answer;

    *found = (struct path_details){0};
    if (fd < 0)
        return -1;
    if (ask_status(fd, 0, &answer))
        translate(&answer, found);
    else if (!is_missing(errno) || fstat(fd, &found->status) < 0)
        return fail(fd, errno);
    return fd;
}

/* Returns a descriptor, or -1 with errno: ENOSYS without openat2(2), of which EPERM is a filter's
 * word. */
static int open_at_once(int directory, const char *path, int flags, uint64_t resolve,
                        struct path_details *found)
{
    struct open_manner manner = {.flags = (uint64_t)(O_PATH | O_CLOEXEC | flags),
                                 .resolve = resolve | (may_wait() ? 0 : CACHED)};
    struct statx answer;
    int fd = (int)syscall(SYS_openat2, directory, path, &manner, sizeof(manner));

    if (fd < 0 && errno == EPERM)
        errno = ENOSYS;
    if (may_wait())
        return described(fd, found);
    if (fd < 0 && errno != EAGAIN && errno != EINVAL && errno != ENOSYS)
        return -1;
    /* what is in the cache is not asked for */
    if (fd >= 0 && ask_status(fd, AT_STATX_DONT_SYNC, &answer) && is_near(&answer)) {
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

static long find_own_number(void)
{
    char text[32] = "";

    return readlink("/proc/self", text, sizeof(text) - 1) > 0 ? strtol(text, NULL, 10) : 0;
}

/* Returns 0 or an errno. */
static int ask_worker(struct worker_task *task)
{
    static int64_t spare = SPARE_TIME;
    int64_t started = clock_now();

    if (is_late(task->path))
        return ETIMEDOUT;
    program = getpid();
    own_number = find_own_number();
    workers_run(task, 1, 1, find_share(spare), limits_of_run);
    if (task->result == WORKER_LATE) {
        spare -= clock_now() - started;
        if (late == NULL)
            utarray_new(late, &strings_icd);
        strings_append(late, "%s", task->path);
    }
    return task->result == WORKER_ANSWERED  ? 0
           : task->result == WORKER_REFUSED ? task->error
           : signals_received() != 0        ? EINTR
           : task->result == WORKER_ENDED   ? EIO
                                            : ETIMEDOUT;
}

/* Whether the work that was done here is for a worker. */
static bool had_to_wait(void)
{
    bool had_to = must_wait;

    must_wait = false;
    return had_to;
}

int path_ask(struct worker_task *task, bool is_far)
{
    task->fd = is_far ? -1 : task->work(task->path, task->question, task->answer);
    if (!is_far && !had_to_wait())
        return 0;
    descriptors_close(&task->fd);
    return ask_worker(task);
}

int path_open_direct(int directory, const char *path, int flags, struct path_details *found)
{
    int fd = open_at_once(directory, path, O_NOFOLLOW | flags, NO_SYMLINKS, found);

    if (fd >= 0 || errno != ENOSYS || (strchr(path, '/') != NULL && strcmp(path, "/") != 0))
        return fd;
    return described(openat(directory, path, O_PATH | O_NOFOLLOW | O_CLOEXEC | flags), found);
}

/* What path_find() looks for. */
struct search_question {
    path_check *check;
    uint64_t user; /* a uid_t: what a worker is sent has no padding */
};

/* A path that is looked up component by component. */
struct walk {
    char *rest; /* what is left of the path */
    int at;     /* what is open so far; -1 after a failure */
    int links;  /* that were followed */
    int flags;
    const struct search_question *wanted; /* what ends it early; or NULL */
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

static bool is_wanted(const struct walk *walk, int place, const struct stat *status)
{
    return walk->wanted != NULL && walk->wanted->check(place, status, (uid_t)walk->wanted->user);
}

/* Opens the next component, and steps to it or follows it. Returns 1 for what is wanted, 0 for
 * anything else, -1 with errno. */
static int step(struct walk *walk)
{
    size_t blanks = strspn(walk->rest, "/"), length = strcspn(walk->rest + blanks, "/");
    char *name = alloc_span(walk->rest + blanks, length);
    struct path_details found;

    memmove(walk->rest, walk->rest + blanks + length, strlen(walk->rest + blanks + length) + 1);
    int next = open_outside_proc(walk->at, name, &found);
    free(name);
    if (next < 0)
        return -1;
    bool is_found = is_wanted(walk, next, &found.status);
    if (!is_found && S_ISLNK(found.status.st_mode) &&
        (walk->rest[0] != '\0' || (walk->flags & O_NOFOLLOW) == 0)) {
        int error = follow(walk, next);
        close(next);
        errno = error;
        return error == 0 ? 0 : -1;
    }
    close(walk->at);
    walk->at = next;
    return is_found ? 1 : 0;
}

/* Returns the descriptor of the path, or of what is wanted, unless that is NULL; else -1 with
 * errno. */
static int walk_path(const char *path, int directory, int flags,
                     const struct search_question *wanted, struct path_details *found)
{
    struct walk walk = {.rest = alloc_string(path), .flags = flags, .wanted = wanted};

    walk.at = open_outside_proc(directory, path[0] == '/' ? "/" : ".", found);
    int result = walk.at < 0 ? -1 : is_wanted(&walk, walk.at, &found->status) ? 1 : 0;
    while (result == 0 && walk.rest[strspn(walk.rest, "/")] != '\0')
        result = step(&walk);
    int error = errno;
    free(walk.rest);
    if (result < 0 || (result == 0 && wanted != NULL))
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
    return walk_path(path, directory, flags, NULL, found);
}

static bool is_worker(void)
{
    return may_wait() && program != 0 && program != getpid();
}

/* Goes where the program is, for the current directory and /proc/self/cwd to be its own in a
 * worker, also behind links. Returns whether that has succeeded. */
static bool enter_directory_of_program(void)
{
    char path[64];

    (void)snprintf(path, sizeof(path), "/proc/%ld/cwd", own_number);
    return chdir(path) == 0;
}

/* Opens what the administrator typed. */
static int open_typed(const char *path, int flags, struct path_details *found)
{
    static const char self[] = "/proc/self";

    if (is_worker() && !enter_directory_of_program() && path[0] != '/')
        return -1;
    char *name = is_worker() && strncmp(path, self, strlen(self)) == 0
                     ? alloc_format("/proc/%ld%s", own_number, path + strlen(self))
                     : alloc_string(path);
    bool is_own = strncmp(name, "/dev/", 5) == 0; /* a descriptor, perhaps */
    int fd = is_own || may_wait() ? described(open(name, O_PATH | O_CLOEXEC | flags), found)
                                  : open_at_once(AT_FDCWD, name, flags, 0, found);
    int error = errno;

    free(name);
    if (is_worker() && chdir("/") < 0)
        return fail(fd, errno);
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

struct place_question {
    int flags;
    int wants_room; /* a bool: no padding here, either */
};

struct place_answer {
    int error;
    struct stat status;
    struct statvfs room;
};

static int find_place(const char *path, const void *asked, void *answered)
{
    const struct place_question *question = asked;
    struct place_answer *found = answered;
    struct path_details details = {0};
    int fd = path_open(path, 0, question->flags, &details);
    bool is_found = fd >= 0 && (!question->wants_room || fstatvfs(fd, &found->room) == 0);

    found->error = is_found ? 0 : errno;
    found->status = details.status;
    return fd;
}

int path_place(const char *path, int flags, struct stat *status, struct statvfs *room)
{
    const struct place_question question = {flags, room != NULL};
    struct place_answer found = {0};
    struct worker_task task = {.work = find_place,
                               .path = path,
                               .question = &question,
                               .length = sizeof(question),
                               .answer = &found,
                               .size = sizeof(found)};
    int error = path_ask(&task, false);

    error = error != 0 ? error : found.error;
    *status = found.status;
    if (room != NULL)
        *room = found.room;
    return error == 0 ? task.fd : fail(task.fd, error);
}

int path_status(const char *path, int flags, struct stat *status)
{
    int fd = path_place(path, flags, status, NULL);
    int error = fd < 0 ? errno : 0;

    descriptors_close(&fd);
    return error;
}

const char *path_error(int error)
{
    return error == EXDEV       ? "leads through a link of /proc"
           : error == ETIMEDOUT ? "the file system does not answer"
           : error == EINTR     ? "interrupted"
                                : strerror(error);
}

struct search_answer {
    struct stat status;
    char path[PATH_MAX]; /* "" for none */
};

static int search(const char *path, const void *asked, void *answered)
{
    struct search_answer *found = answered;
    struct path_details details = {0};
    bool is_elsewhere = is_worker() && path[0] != '/';
    int place = is_elsewhere && !enter_directory_of_program()
                    ? -1
                    : walk_path(path, AT_FDCWD, 0, asked, &details);
    ssize_t length = -1;

    if (is_elsewhere && chdir("/") < 0)
        place = fail(place, errno);
    if (place >= 0)
        length = readlink(descriptors_path(place).text, found->path, sizeof(found->path) - 1);
    found->path[length < 0 ? 0 : length] = '\0';
    found->status = details.status;
    descriptors_close(&place);
    return -1;
}

char *path_find(const char *path, path_check *check, uid_t user, struct stat *status)
{
    const struct search_question question = {check, user};
    struct search_answer found = {.path = ""};
    struct worker_task task = {.work = search,
                               .path = path,
                               .question = &question,
                               .length = sizeof(question),
                               .answer = &found,
                               .size = sizeof(found)};

    if (path_ask(&task, false) != 0 || found.path[0] == '\0')
        return NULL;
    *status = found.status;
    return alloc_string(found.path);
}

struct read_question {
    size_t typed, maximum;
};

/* How often a file that changes is read. */
#define ATTEMPTS 3

static bool check_status(const char *path, const struct stat *status, size_t maximum, char **error)
{
    if (S_ISDIR(status->st_mode)) /* Postfix opens it and fails in read(2) */
        alloc_set_text(error, "read %s: %s", path, strerror(EISDIR));
    else if (!S_ISREG(status->st_mode))
        alloc_set_text(error, "open %s: not a regular file", path);
    else if (status->st_size < 0 || (size_t)status->st_size > maximum)
        alloc_set_text(error, "open %s: file is larger than %zu bytes", path, maximum);
    else
        return true;
    return false;
}

/* Whether another user's link leads to a file that this user might not read: messages would quote
 * it. */
static bool is_lured(uid_t owner, const struct stat *status)
{
    return owner != 0 && owner != geteuid() && owner != status->st_uid &&
           (status->st_mode & S_IROTH) == 0;
}

/* Opens the file in *fd, or sets it to -1. */
static enum path_result open_file(const char *path, const struct read_question *question, int *fd,
                                  struct stat *status, char **error)
{
    struct path_details found;
    int place = path_open(path, question->typed, O_NOFOLLOW, &found);
    uid_t owner = 0;

    *fd = -1;
    if (place >= 0 && S_ISLNK(found.status.st_mode)) {
        owner = found.status.st_uid;
        close(place);
        place = path_open(path, question->typed, 0, &found);
    }
    if (place < 0) {
        bool is_missing_file = errno == ENOENT || errno == ENOTDIR;
        alloc_set_text(error, "open %s: %s", path, path_error(errno));
        return is_missing_file ? PATH_MISSING : PATH_ERROR;
    }
    *status = found.status;
    if (is_lured(owner, status)) {
        alloc_set_text(error, "open %s: another user's link to a file that not everybody may read",
                       path);
    } else if (check_status(path, status, question->maximum, error)) {
        *fd = descriptors_reopen(place, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
        if (*fd < 0)
            alloc_set_text(error, "open %s: %s", path,
                           errno == EAGAIN ? "another process has a lease on it" : strerror(errno));
    }
    close(place);
    return *fd < 0 ? PATH_ERROR : PATH_OK;
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

/* Reads the file once. Returns whether it is complete: it still is as its status describes it. */
static bool read_once(int fd, const char *path, struct path_file *file, char **error)
{
    struct stat before = file->status;

    file->length = (size_t)before.st_size;
    file->text = alloc_resize(file->text, file->length + 1);
    ssize_t count = read_all(fd, file->text, file->length);
    if (count < 0)
        alloc_set_text(error, "read %s: %s", path, strerror(errno));
    else if (fstat(fd, &file->status) < 0)
        alloc_set_text(error, "fstat %s: %s", path, strerror(errno));
    file->text[file->length] = '\0';
    return (size_t)count == file->length && same_content(&before, &file->status);
}

/* Reads it in this process. *error is NULL. */
static enum path_result read_here(const char *path, const struct read_question *question,
                                  struct path_file *file, char **error)
{
    bool is_complete = false;
    int fd;

    *file = (struct path_file){0};
    enum path_result result = open_file(path, question, &fd, &file->status, error);
    if (result != PATH_OK)
        return result;
    for (int i = 0; i < ATTEMPTS && !is_complete && *error == NULL; i++)
        if (check_status(path, &file->status, question->maximum, error))
            is_complete = read_once(fd, path, file, error);
    if (*error == NULL && !is_complete)
        alloc_set_text(error, "read %s: file keeps changing while it is read", path);
    else if (*error == NULL && strlen(file->text) != file->length)
        alloc_set_text(error, "read %s: file contains a null byte", path);
    file->others_write = *error == NULL && path_others_write(fd, &file->status);
    close(fd);
    if (*error == NULL)
        return PATH_OK;
    free(file->text);
    file->text = NULL;
    return PATH_ERROR;
}

/* The text, or the error, is in a file that comes with it. */
struct read_answer {
    enum path_result result;
    struct path_file file;
    size_t length;
    int error; /* errno: why there is no such file, or 0 */
};

static int answer_read(const char *path, const void *question, void *answered)
{
    struct read_answer *answer = answered;
    char *error = NULL;

    answer->result = read_here(path, question, &answer->file, &error);
    char *text = error != NULL ? error : answer->file.text;
    answer->length = error != NULL ? strlen(error) : answer->file.length;
    int fd = descriptors_open_unnamed(true);
    if (fd < 0 || pwrite(fd, text, answer->length, 0) != (ssize_t)answer->length)
        answer->error = errno;
    free(text);
    return fd;
}

/* Has a worker read it. */
static enum path_result read_there(const char *path, const struct read_question *question,
                                   struct path_file *file, char **error)
{
    struct read_answer found = {.error = 0};
    struct worker_task task = {.work = answer_read,
                               .path = path,
                               .question = question,
                               .length = sizeof(*question),
                               .answer = &found,
                               .size = sizeof(found)};
    int failure = path_ask(&task, true);

    failure = failure != 0 ? failure : found.error;
    if (failure != 0) {
        descriptors_close(&task.fd);
        alloc_set_text(error, "open %s: %s", path, path_error(failure));
        return PATH_ERROR;
    }
    char *text = alloc_bytes(found.length + 1);
    if (pread(task.fd, text, found.length, 0) != (ssize_t)found.length)
        alloc_fail();
    text[found.length] = '\0';
    close(task.fd);
    *file = found.file;
    file->text = NULL;
    *(found.result == PATH_OK ? &file->text : error) = text;
    return found.result;
}

enum path_result path_read(const char *path, size_t typed, size_t maximum, struct path_file *file,
                           char **error)
{
    const struct read_question question = {typed, maximum};
    enum path_result result = read_here(path, &question, file, error);

    if (!had_to_wait())
        return result;
    free(*error);
    free(file->text);
    *error = file->text = NULL;
    return read_there(path, &question, file, error);
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
