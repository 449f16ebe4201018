/* SPDX-License-Identifier: MIT */
/* Reads a file that another user may own. */
#include "base/safe_read.h"
#include "base/alloc.h"
#include "base/descriptors.h"
#include "base/path.h"
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

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

/* Opens path with O_PATH, and fills in its status. Returns a descriptor, or -1 with *error set. */
static int open_place(const char *path, size_t typed, int flags, struct stat *status, char **error)
{
    int place = path_open(path, typed, flags);

    if (place >= 0 && fstat(place, status) == 0)
        return place;
    int reason = errno;
    alloc_set_text(error, "%s %s: %s", place < 0 ? "open" : "fstat", path, path_error(reason));
    descriptors_close(&place);
    errno = reason;
    return -1;
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
    int place = open_place(path, typed, O_NOFOLLOW, status, error), fd = -1;
    uid_t owner = place >= 0 && S_ISLNK(status->st_mode) ? status->st_uid : 0;

    if (place >= 0 && S_ISLNK(status->st_mode)) {
        close(place);
        place = open_place(path, typed, 0, status, error);
    }
    *missing = place < 0 && (errno == ENOENT || errno == ENOTDIR);
    if (place < 0)
        return -1;
    if (is_lured(owner, status)) {
        alloc_set_text(error, "open %s: another user's link to a file that not everybody may read",
                       path);
    } else if (check_status(path, status, maximum, error) == 0) {
        fd = descriptors_reopen(place, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
        if (fd < 0)
            alloc_set_text(error, "open %s: %s", path, strerror(errno));
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

/* Reads up to length bytes from the start of the file. Returns the count, or -1 with errno. */
static ssize_t read_all(int fd, char *text, size_t length)
{
    size_t have = 0;

    while (have < length) {
        ssize_t count = path_read(fd, text + have, length - have, (off_t)have);

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
                                     struct safe_read_file *file, char **error)
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
static enum safe_read_result read_here(const char *path, size_t typed, size_t maximum,
                                       struct safe_read_file *file, char **error)
{
    struct stat status;
    bool missing;
    enum attempt_result result = ATTEMPT_CHANGED;

    *file = (struct safe_read_file){0};
    file->fd = open_file(path, typed, maximum, &status, &missing, error);
    if (file->fd < 0)
        return missing ? SAFE_READ_MISSING : SAFE_READ_ERROR;
    for (int i = 0; i < ATTEMPTS && result == ATTEMPT_CHANGED; i++)
        result = check_status(path, &status, maximum, error) < 0
                     ? ATTEMPT_ERROR
                     : read_once(file->fd, path, &status, file, error);
    file->others_write = result == ATTEMPT_DONE && safe_read_others_write(file->fd, &status);
    file->others_read = (status.st_mode & S_IROTH) != 0;
    file->owner = status.st_uid;
    if (result == ATTEMPT_CHANGED) {
        alloc_set_text(error, "read %s: file keeps changing while it is read", path);
    } else if (result == ATTEMPT_DONE && memchr(file->text, '\0', file->length) != NULL) {
        alloc_set_text(error, "read %s: file contains a null byte", path);
    } else if (result == ATTEMPT_DONE) {
        return SAFE_READ_OK;
    }
    safe_read_free(file);
    return SAFE_READ_ERROR;
}

/* What is asked of a worker. */
struct question {
    size_t typed, maximum;
    char path[];
};

/* Its answer; the text is in a file that comes with it. */
struct answer {
    enum safe_read_result result;
    struct safe_read_file file;
    char error[PATH_MAX + 256]; /* cut if it is longer */
};

static int answer(const void *asked, size_t length, void *answered)
{
    const struct question *question = asked;
    struct answer *answer = answered;
    char *error = NULL;
    int fd = -1;

    (void)length;
    answer->result =
        read_here(question->path, question->typed, question->maximum, &answer->file, &error);
    if (answer->result == SAFE_READ_OK) {
        fd = descriptors_open_unnamed(true);
        if (fd < 0 ||
            pwrite(fd, answer->file.text, answer->file.length, 0) != (ssize_t)answer->file.length) {
            alloc_set_text(&error, "read %s: %s", question->path, strerror(errno));
            answer->result = SAFE_READ_ERROR;
        }
        descriptors_close(&answer->file.fd);
        free(answer->file.text);
    }
    (void)snprintf(answer->error, sizeof(answer->error), "%s", error == NULL ? "" : error);
    free(error);
    return fd;
}

/* Has a worker read it. */
static enum safe_read_result read_there(const char *path, size_t typed, size_t maximum,
                                        struct safe_read_file *file, char **error)
{
    size_t length = sizeof(struct question) + strlen(path) + 1;
    struct question *question = alloc_bytes(length);
    struct answer found;
    int fd;

    *question = (struct question){.typed = typed, .maximum = maximum};
    memcpy(question->path, path, strlen(path) + 1);
    int failure = path_ask(answer, path, question, length, &found, sizeof(found), &fd);
    free(question);
    if (failure != 0) {
        alloc_set_text(error, "open %s: %s", path, path_error(failure));
        return SAFE_READ_ERROR;
    }
    if (found.result != SAFE_READ_OK) {
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
    return SAFE_READ_OK;
}

enum safe_read_result safe_read(const char *path, size_t typed, size_t maximum,
                                struct safe_read_file *file, char **error)
{
    enum safe_read_result result = read_here(path, typed, maximum, file, error);

    if (!path_must_wait())
        return result;
    free(*error);
    *error = NULL;
    safe_read_free(file);
    return read_there(path, typed, maximum, file, error);
}

/* With an ACL, the group's bits are the most that any user in it has. */
bool safe_read_others_write(int fd, const struct stat *status)
{
    char path[sizeof(DESCRIPTORS_PATH) + 3 * sizeof(fd)]; /* fgetxattr(2) refuses O_PATH */

    (void)snprintf(path, sizeof(path), DESCRIPTORS_PATH, fd);
    return status->st_uid != 0 || (status->st_mode & S_IWOTH) != 0 ||
           ((status->st_mode & S_IWGRP) != 0 &&
            (status->st_gid != 0 || getxattr(path, "system.posix_acl_access", NULL, 0) > 0));
}

void safe_read_free(struct safe_read_file *file)
{
    free(file->text);
    descriptors_close(&file->fd);
    *file = (struct safe_read_file){.fd = -1};
}
