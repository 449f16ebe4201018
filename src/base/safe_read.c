#include "base/safe_read.h"
#include "base/alloc.h"
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define READ_TRIES 3

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

int safe_read_open(const char *path, size_t maximum, struct stat *status, bool *missing,
                   char **error)
{
    int fd = open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);

    if (missing != NULL)
        *missing = fd < 0 && (errno == ENOENT || errno == ENOTDIR);
    if (fd < 0) {
        alloc_set_text(error, "open %s: %s", path, strerror(errno));
        return -1;
    }
    if (fstat(fd, status) < 0) {
        alloc_set_text(error, "fstat %s: %s", path, strerror(errno));
    } else if (check_status(path, status, maximum, error) == 0) {
        return fd;
    }
    close(fd);
    return -1;
}

static bool same_content(const struct stat *before, const struct stat *after)
{
    return before->st_size == after->st_size && before->st_mtim.tv_sec == after->st_mtim.tv_sec &&
           before->st_mtim.tv_nsec == after->st_mtim.tv_nsec &&
           before->st_ctim.tv_sec == after->st_ctim.tv_sec &&
           before->st_ctim.tv_nsec == after->st_ctim.tv_nsec;
}

/* Reads up to length bytes from the start of the file; the count, or -1 with errno. */
static ssize_t read_all(int fd, char *text, size_t length)
{
    size_t have = 0;

    while (have < length) {
        ssize_t count = pread(fd, text + have, length - have, (off_t)have);

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

enum try_result { TRY_DONE, TRY_CHANGED, TRY_ERROR };

/* One attempt: the file as *status described it, or an error, or "it changed meanwhile". */
static enum try_result read_once(int fd, const char *path, struct stat *status,
                                 struct safe_read_file *file, char **error)
{
    struct stat after;
    size_t size = (size_t)status->st_size;

    file->text = alloc_resize(file->text, size + 1);
    ssize_t count = read_all(fd, file->text, size);
    if (count < 0) {
        alloc_set_text(error, "read %s: %s", path, strerror(errno));
        return TRY_ERROR;
    }
    if (fstat(fd, &after) < 0) {
        alloc_set_text(error, "fstat %s: %s", path, strerror(errno));
        return TRY_ERROR;
    }
    bool unchanged = (size_t)count == size && same_content(status, &after);
    *status = after;
    if (!unchanged)
        return TRY_CHANGED;
    file->text[size] = '\0';
    file->length = size;
    return TRY_DONE;
}

enum safe_read_result safe_read(const char *path, size_t maximum, struct safe_read_file *file,
                                char **error)
{
    struct stat status;
    bool missing;
    enum try_result result = TRY_CHANGED;

    *file = (struct safe_read_file){0};
    int fd = safe_read_open(path, maximum, &status, &missing, error);
    if (fd < 0)
        return missing ? SAFE_READ_MISSING : SAFE_READ_ERROR;
    for (int i = 0; i < READ_TRIES && result == TRY_CHANGED; i++)
        result = check_status(path, &status, maximum, error) < 0
                     ? TRY_ERROR
                     : read_once(fd, path, &status, file, error);
    close(fd);
    if (result == TRY_CHANGED) {
        alloc_set_text(error, "read %s: file keeps changing while it is read", path);
    } else if (result == TRY_DONE && memchr(file->text, '\0', file->length) != NULL) {
        alloc_set_text(error, "read %s: file contains a null byte", path);
    } else if (result == TRY_DONE) {
        file->others_write = safe_read_others_write(&status);
        return SAFE_READ_OK;
    }
    safe_read_free(file);
    return SAFE_READ_ERROR;
}

bool safe_read_others_write(const struct stat *status)
{
    return status->st_uid != 0 || (status->st_mode & S_IWOTH) != 0 ||
           ((status->st_mode & S_IWGRP) != 0 && status->st_gid != 0);
}

void safe_read_free(struct safe_read_file *file)
{
    free(file->text);
    *file = (struct safe_read_file){0};
}
