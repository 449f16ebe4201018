/* SPDX-License-Identifier: MIT */
/* Counts the messages in the queue directories of an instance. */
#include "postfix/queue.h"
#include "base/alloc.h"
#include "base/descriptors.h"
#include "base/path.h"
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <unistd.h>

/* What a queue file begins with: its records C and T fit in. */
#define HEAD_BYTES 128

/* Digits of the longest number in such a record. */
#define DIGITS_MAXIMUM 15

/* Levels of hashed directories, one for each letter of a queue ID at most. */
#define DEPTH_MAXIMUM 16

/* How many names of one byte there are. */
#define BYTE_VALUES 256

const char *const queue_names[] = {
    [QUEUE_INCOMING] = "incoming", [QUEUE_ACTIVE] = "active",     [QUEUE_DEFERRED] = "deferred",
    [QUEUE_HOLD] = "hold",         [QUEUE_MAILDROP] = "maildrop", [QUEUE_CORRUPT] = "corrupt",
};

void queue_add(struct queue_tally *sum, const struct queue_tally *tally)
{
    sum->messages += tally->messages;
    if (__builtin_add_overflow(sum->bytes, tally->bytes, &sum->bytes))
        sum->bytes = INT64_MAX; /* sparse files can be larger than any disk */
    if (tally->oldest != 0 && (sum->oldest == 0 || tally->oldest < sum->oldest))
        sum->oldest = tally->oldest;
}

/* The question to a worker: of the files, only those of one part are looked at, 0 to parts - 1; the
 * sums of all parts are the whole. */
struct share {
    unsigned part, parts;
};

/* One queue under way. */
struct walk {
    struct share share;
    enum queue queue;
    struct queue_contents *contents;
    char path[DEPTH_MAXIMUM * 2 + 16]; /* of the directory that is read, for messages */
    char entries[64 * 1024];           /* of the directory that is read, as the kernel has them */
};

static bool fail(struct walk *walk, const char *name, int error)
{
    struct queue_contents *contents = walk->contents;

    contents->error = error;
    (void)snprintf(contents->where, sizeof(contents->where), "%s%s%.32s", walk->path,
                   name[0] == '\0' ? "" : "/", name);
    return false;
}

/* Returns the number at the start of a record, after blanks, or -1: none, or longer than any that
 * Postfix writes. */
static int64_t read_number(const char *text, const char *end)
{
    int64_t number = 0;
    int digits = 0;

    while (text < end && *text == ' ')
        text++;
    for (; text < end && isdigit((unsigned char)*text); text++, digits++) {
        if (digits == DIGITS_MAXIMUM)
            return -1;
        number = number * 10 + (*text - '0');
    }
    return digits > 0 ? number : -1;
}

/*
 * Finds size and arrival in the first bytes of a queue file: records of a type, a length in groups
 * of seven bits, the lowest first, and so many bytes. Returns false if that is no queue file.
 */
static bool read_head(const char *head, size_t length, int64_t *size, int64_t *arrival)
{
    const char *at = head, *end = head + length;

    *size = *arrival = -1;
    while (end - at >= 2) {
        char type = *at++;
        size_t bytes = 0;
        int shift = 0;

        do
            bytes |= (size_t)(*at & 0x7f) << shift;
        while ((*at++ & 0x80) != 0 && (shift += 7) < 28 && at < end);
        if (bytes > (size_t)(end - at))
            return false;
        if (type == 'T') {
            *arrival = read_number(at, at + bytes);
            return *arrival > 0;
        }
        if (type == 'C' && *size < 0)
            *size = read_number(at, at + bytes);
        at += bytes;
    }
    return false;
}

/* Counts what may be a queue file. */
static void count_file(struct walk *walk, const struct stat *status, const char *head,
                       size_t length)
{
    int64_t size, arrival;
    bool is_message = read_head(head, length, &size, &arrival);

    if (!is_message && walk->queue != QUEUE_CORRUPT)
        return;
    if (walk->queue == QUEUE_MAILDROP || size < 0 || size > status->st_size)
        size = status->st_size;
    queue_add(&walk->contents->queues[walk->queue],
              &(struct queue_tally){1, size, is_message ? arrival : 0});
}

/* Whether what was found in a directory is no longer there, or something else by now. */
static bool is_gone(int error)
{
    return error == ENOENT || error == ENOTDIR || error == ELOOP || error == ENXIO;
}

/* Its time of access does not change where that is allowed (to root and its owner). If somebody has
 * just put a FIFO in its place, O_NONBLOCK keeps us from waiting for its writer. */
static bool look_at_file(struct walk *walk, int directory, const char *name)
{
    int flags = O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC;
    char head[HEAD_BYTES];
    struct stat status;
    ssize_t length = 0;
    int fd = openat(directory, name, flags | O_NOATIME);

    if (fd < 0 && errno == EPERM)
        fd = openat(directory, name, flags);
    if (fd < 0)
        return is_gone(errno) || fail(walk, name, errno);
    int error = fstat(fd, &status) < 0 ? errno : 0;
    bool is_counted = error == 0 && S_ISREG(status.st_mode) &&
                      (walk->queue == QUEUE_CORRUPT || (status.st_mode & S_IRWXU) == S_IRWXU);
    if (is_counted && (length = pread(fd, head, sizeof(head), 0)) < 0)
        error = errno;
    close(fd);
    if (error != 0)
        return fail(walk, name, error);
    if (is_counted)
        count_file(walk, &status, head, (size_t)length);
    return true;
}

/* What getdents64(2) returns: C libraries before glibc 2.30 lack the call, and musl the name. */
struct entry {
    uint64_t d_ino;
    int64_t d_off;
    unsigned short d_reclen;
    unsigned char d_type;
    char d_name[];
};

/* Whether it is one as Postfix gives to queue files; temporary ones have others. */
static bool is_queue_file_name(const char *name)
{
    for (; *name != '\0'; name++)
        if (!isalnum((unsigned char)*name) && *name != '_')
            return false;
    return true;
}

/* Looks at one entry; notes directories in the set of names. */
static bool look_at(struct walk *walk, int directory, const struct entry *entry, bool *below)
{
    const char *name = entry->d_name;
    unsigned char type = entry->d_type;
    struct stat status;

    if (!is_queue_file_name(name))
        return true;
    bool is_short = name[1] == '\0' && walk->queue != QUEUE_MAILDROP;
    if (!is_short && entry->d_ino % walk->share.parts != walk->share.part)
        return true;
    if (type == DT_UNKNOWN && fstatat(directory, name, &status, AT_SYMLINK_NOFOLLOW) == 0)
        type = (unsigned char)IFTODT(status.st_mode); /* the file system does not say */
    if (type == DT_REG && !is_short)
        return look_at_file(walk, directory, name);
    if (type == DT_DIR && is_short)
        below[(unsigned char)name[0]] = true;
    return true;
}

/* Looks at all entries. */
static bool read_entries(struct walk *walk, int directory, bool *below)
{
    ssize_t length;

    while ((length = syscall(SYS_getdents64, directory, walk->entries, sizeof(walk->entries))) >
           0) {
        for (ssize_t at = 0; at < length;) {
            const struct entry *entry = (const void *)(walk->entries + at);

            if (!look_at(walk, directory, entry, below))
                return false;
            at += entry->d_reclen;
        }
    }
    return length == 0 || errno == ENOENT || fail(walk, "", errno); /* ENOENT: it was removed */
}

/* Reads a directory, and then those below it, so that one buffer is enough for all. */
static bool read_directory(struct walk *walk, int parent, const char *name, int depth)
{
    bool below[BYTE_VALUES] = {false};
    size_t length = strlen(walk->path);
    int fd = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);

    if (fd < 0 && (depth > 0 ? is_gone(errno) : errno == ENOENT && walk->queue == QUEUE_CORRUPT))
        return true;
    (void)snprintf(walk->path + length, sizeof(walk->path) - length, "%s%s", depth > 0 ? "/" : "",
                   name);
    bool well = fd >= 0 || fail(walk, "", errno);
    well = well && read_entries(walk, fd, below);
    for (int i = 0; well && i < BYTE_VALUES; i++) {
        if (below[i] && depth == DEPTH_MAXIMUM)
            well = fail(walk, "", ELOOP);
        else if (below[i])
            well = read_directory(walk, fd, (char[]){(char)i, '\0'}, depth + 1);
    }
    descriptors_close(&fd);
    walk->path[length] = '\0';
    return well;
}

static uint64_t multiply(uint64_t count, uint64_t size)
{
    uint64_t product;

    return __builtin_mul_overflow(count, size, &product) || product > INT64_MAX ? INT64_MAX
                                                                                : product;
}

/* Never more free than there is, whatever the file system says. */
static bool read_file_system(int directory, struct queue_contents *contents)
{
    struct statvfs system;

    if (fstatvfs(directory, &system) < 0)
        return false;
    contents->total_bytes = multiply(system.f_blocks, system.f_frsize);
    contents->free_bytes = multiply(system.f_bavail, system.f_frsize);
    contents->total_inodes = multiply(system.f_files, 1);
    contents->free_inodes = system.f_favail;
    if (contents->free_bytes > contents->total_bytes)
        contents->free_bytes = contents->total_bytes;
    if (contents->free_inodes > contents->total_inodes)
        contents->free_inodes = contents->total_inodes;
    return true;
}

/* The work of a worker, whose answer is a struct queue_contents. May take for ever, on a file
 * system that does not answer or in directories that grow. */
static int read_queues(const char *directory, const void *question, void *answer)
{
    const struct share *share = question;
    struct queue_contents *contents = answer;
    struct walk walk = {.share = *share, .contents = contents};
    struct path_details found = {0};
    struct stat status;
    int fd = path_open(directory, 0, O_DIRECTORY, &found);

    contents->device = found.status.st_dev;
    contents->inode = found.status.st_ino;
    if (fd < 0 || !read_file_system(fd, contents))
        contents->error = errno;
    for (int i = 0; i < QUEUE_COUNT && contents->error == 0; i++) {
        walk.queue = (enum queue)i;
        (void)read_directory(&walk, fd, queue_names[i], 0);
    }
    if (contents->error == EACCES &&
        fstatat(fd, contents->where, &status, AT_SYMLINK_NOFOLLOW) == 0)
        contents->owner = status.st_uid;
    descriptors_close(&fd);
    return -1;
}

/* Returns why a part could not be read, a new string; or NULL. */
static char *explain(const char *directory, const struct worker_task *task, int seconds)
{
    const struct queue_contents *contents = task->answer;
    const char *slash = contents->where[0] == '\0' ? "" : "/";

    switch (task->result) {
    case WORKER_ANSWERED:
        break;
    case WORKER_LATE:
        return alloc_format("queues not read within %ds", seconds);
    case WORKER_ENDED:
        return alloc_string("queues not read: the process that reads them has ended");
    case WORKER_REFUSED:
        return alloc_format("queues not read: no process for it: %s", strerror(task->error));
    case WORKER_STOPPED:
        return alloc_format("queues not read: %s", limits_reason());
    }
    if (contents->error == 0)
        return NULL;
    if (contents->error == EACCES) {
        const struct passwd *owner = getpwuid(contents->owner);

        return alloc_format("permission denied: %s%s%s: only root and its owner%s%s may read it",
                            directory, slash, contents->where, owner != NULL ? " " : "",
                            owner != NULL ? owner->pw_name : "");
    }
    return alloc_format("read %s%s%s: %s", directory, slash, contents->where,
                        path_error(contents->error));
}

/* Adds a part of a reading to it. */
static void add_part(struct queue_reading *reading, const struct worker_task *task, int seconds)
{
    struct queue_contents sum = *(struct queue_contents *)task->answer;

    if (reading->reason == NULL)
        reading->reason = explain(reading->directory, task, seconds);
    for (int i = 0; i < QUEUE_COUNT; i++)
        queue_add(&sum.queues[i], &reading->contents.queues[i]);
    reading->contents = sum;
}

void queues_read(struct queue_reading *readings, size_t count, int parallel, int seconds,
                 const struct limits *limits)
{
    size_t directories = 0, made = 0, parts = 1;

    for (size_t i = 0; i < count; i++)
        directories += readings[i].directory != NULL;
    if (parallel > WORKER_MAXIMUM)
        parallel = WORKER_MAXIMUM;
    if (directories > 0 && directories < (size_t)parallel)
        parts = (size_t)parallel / directories;
    struct worker_task *tasks = alloc_zeroed(directories * parts, sizeof(*tasks));
    struct queue_contents *answers = alloc_zeroed(directories * parts, sizeof(*answers));
    struct share *shares = alloc_zeroed(parts, sizeof(*shares));
    for (size_t i = 0; i < count; i++) {
        for (size_t j = 0; readings[i].directory != NULL && j < parts; j++, made++) {
            shares[j] = (struct share){(unsigned)j, (unsigned)parts};
            tasks[made] = (struct worker_task){.work = read_queues,
                                               .path = readings[i].directory,
                                               .question = &shares[j],
                                               .length = sizeof(*shares),
                                               .answer = &answers[made],
                                               .size = sizeof(*answers)};
        }
    }
    workers_run(tasks, made, parallel, seconds * CLOCK_SECOND, limits);
    workers_end();
    made = 0;
    for (size_t i = 0; i < count; i++)
        for (size_t j = 0; readings[i].directory != NULL && j < parts; j++)
            add_part(&readings[i], &tasks[made++], seconds);
    free(shares);
    free(answers);
    free(tasks);
}
