/* SPDX-License-Identifier: MIT */
/* Opens the socket or FIFO of a service, and uses what was opened. */
#include "wire/endpoint.h"
#include "base/descriptors.h"
#include "base/path.h"
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

static enum endpoint_result check_type(const struct stat *status)
{
    if (S_ISSOCK(status->st_mode))
        return ENDPOINT_SOCKET;
    if (S_ISFIFO(status->st_mode))
        return status->st_nlink > 1 ? ENDPOINT_HARD_LINKS : ENDPOINT_FIFO;
    return S_ISLNK(status->st_mode) ? ENDPOINT_LINK : ENDPOINT_WRONG_TYPE;
}

static enum endpoint_result fail_lookup(struct endpoint *endpoint, int error)
{
    *endpoint = (struct endpoint){.fd = -1, .error = error};
    return descriptors_exhausted(error) ? ENDPOINT_DESCRIPTORS : ENDPOINT_LOOKUP;
}

/* open(2) with O_DIRECTORY and O_NOFOLLOW fails with ENOTDIR for a link and a plain file alike. */
static bool is_link(int directory, const char *name)
{
    struct stat status;

    return fstatat(directory, name, &status, AT_SYMLINK_NOFOLLOW) == 0 && S_ISLNK(status.st_mode);
}

/* What to open in a queue directory. */
struct question {
    char class[sizeof("private")];
    char service[NAME_MAX + 1];
};

/* One component at a time: links are followed in the path of the queue directory, and nowhere else.
 * Returns ENDPOINT_SOCKET with *endpoint open, whatever it is. */
static enum endpoint_result open_stepwise(struct endpoint *endpoint, const char *queue_directory,
                                          const struct question *question,
                                          struct path_details *found)
{
    int queue = path_open(queue_directory, 0, O_DIRECTORY, found), directory = -1;

    if (queue >= 0)
        directory = path_open_direct(queue, question->class, O_DIRECTORY, found);
    int error = errno;
    bool class_is_link =
        queue >= 0 && directory < 0 && error == ENOTDIR && is_link(queue, question->class);
    descriptors_close(&queue);
    if (directory >= 0) {
        endpoint->fd = path_open_direct(directory, question->service, 0, found);
        error = errno;
        close(directory);
    }
    enum endpoint_result result = endpoint->fd < 0 ? fail_lookup(endpoint, error) : ENDPOINT_SOCKET;
    return class_is_link ? ENDPOINT_LINK : result;
}

static enum endpoint_result open_here(struct endpoint *endpoint, const char *queue_directory,
                                      const struct question *question)
{
    struct path_details found;
    char path[PATH_MAX + sizeof(*question)];

    *endpoint = (struct endpoint){.fd = -1};
    if (strlen(queue_directory) < PATH_MAX) {
        /* for every kick: with snprintf(3) it would cost more than all else that is done here */
        (void)stpcpy(
            stpcpy(stpcpy(stpcpy(stpcpy(path, queue_directory), "/"), question->class), "/"),
            question->service);
        endpoint->fd = path_open_direct(AT_FDCWD, path, 0, &found);
    }
    if (endpoint->fd < 0) {
        enum endpoint_result result = open_stepwise(endpoint, queue_directory, question, &found);
        if (endpoint->fd < 0)
            return result;
    }
    enum endpoint_result result = check_type(&found.status);
    endpoint->identity =
        (struct endpoint_identity){found.status.st_dev, found.status.st_ino, found.born};
    endpoint->is_socket = result == ENDPOINT_SOCKET;
    endpoint->error = result == ENDPOINT_LINK ? ELOOP : 0;
    endpoint->is_far = limits_of_run == NULL; /* in a worker: maybe */
    if (result != ENDPOINT_SOCKET && result != ENDPOINT_FIFO)
        descriptors_close(&endpoint->fd);
    return result;
}

struct answer {
    enum endpoint_result result;
    struct endpoint endpoint;
};

static int answer_open(const char *queue_directory, const void *question, void *answered)
{
    struct answer *answer = answered;

    answer->result = open_here(&answer->endpoint, queue_directory, question);
    return answer->endpoint.fd;
}

enum endpoint_result endpoint_open(struct endpoint *endpoint, const char *queue_directory,
                                   const char *class, const char *service)
{
    struct question question = {0};
    struct answer answer;
    struct worker_task task = {.work = answer_open,
                               .path = queue_directory,
                               .question = &question,
                               .length = sizeof(question),
                               .answer = &answer,
                               .size = sizeof(answer)};

    if (strlen(class) >= sizeof(question.class) || strlen(service) >= sizeof(question.service))
        return fail_lookup(endpoint, ENAMETOOLONG);
    (void)stpcpy(question.class, class);
    (void)stpcpy(question.service, service);
    int error = path_ask(&task, false);
    if (error != 0)
        return fail_lookup(endpoint, error);
    *endpoint = answer.endpoint;
    endpoint->fd = task.fd;
    endpoint->is_far = endpoint->is_far && task.fd >= 0 && !path_is_near(task.fd);
    return answer.result;
}

/* Connects to what the path in /proc stands for. */
static int reach(const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

    if (fd < 0)
        return -1;
    (void)stpcpy(address.sun_path, path);
    if (connect(fd, (const struct sockaddr *)&address, sizeof(address)) == 0)
        return fd;
    int error = errno;
    close(fd);
    errno = error;
    return -1;
}

/* Whether the path, which is our descriptor's in /proc, can be written to; or connects to it. */
static int answer_far(const char *path, const void *is_checked, void *error)
{
    bool succeeds;
    int fd = -1;

    if (*(const bool *)is_checked)
        succeeds = faccessat(AT_FDCWD, path, W_OK, AT_EACCESS) == 0;
    else
        succeeds = (fd = reach(path)) >= 0;
    *(int *)error = succeeds ? 0 : errno;
    return fd;
}

/* Has a worker do it. Returns -1 with errno, else 0 or a descriptor. */
static int ask_far(const struct endpoint *endpoint, bool is_checked)
{
    char path[64];
    int failure;
    struct worker_task task = {.work = answer_far,
                               .path = path,
                               .question = &is_checked,
                               .length = sizeof(is_checked),
                               .answer = &failure,
                               .size = sizeof(failure)};

    (void)snprintf(path, sizeof(path), "/proc/%d/fd/%d", (int)getpid(), endpoint->fd);
    int error = path_ask(&task, true);
    if (error == 0 && failure == 0)
        return is_checked ? 0 : task.fd;
    errno = error != 0 ? error : failure;
    return -1;
}

int endpoint_connect(const struct endpoint *endpoint)
{
    return endpoint->is_far ? ask_far(endpoint, false) : reach(descriptors_path(endpoint->fd).text);
}

bool endpoint_writable(const struct endpoint *endpoint)
{
    return endpoint->is_far ? ask_far(endpoint, true) == 0
                            : access(descriptors_path(endpoint->fd).text, W_OK) == 0;
}
