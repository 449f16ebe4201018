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

static void fail_lookup(struct endpoint *endpoint, int error)
{
    *endpoint = (struct endpoint){.result = descriptors_exhausted(error) ? ENDPOINT_DESCRIPTORS
                                                                         : ENDPOINT_LOOKUP,
                                  .fd = -1,
                                  .error = error};
}

/* What to open in a queue directory. */
struct question {
    char class[sizeof("private")];
    char service[NAME_MAX + 1];
};

/* One component at a time: links are followed in the path of the queue directory, and nowhere
 * else. */
static void open_stepwise(struct endpoint *endpoint, const char *queue_directory,
                          const struct question *question, struct path_details *found)
{
    int queue = path_open(queue_directory, 0, O_DIRECTORY, found), directory = -1;
    struct stat status;

    if (queue >= 0)
        directory = path_open_direct(queue, question->class, O_DIRECTORY, found);
    int error = errno;
    /* with O_DIRECTORY and O_NOFOLLOW, that is ENOTDIR for a link and a plain file alike */
    bool class_is_link = queue >= 0 && directory < 0 && error == ENOTDIR &&
                         fstatat(queue, question->class, &status, AT_SYMLINK_NOFOLLOW) == 0 &&
                         S_ISLNK(status.st_mode);
    descriptors_close(&queue);
    if (directory >= 0) {
        endpoint->fd = path_open_direct(directory, question->service, 0, found);
        error = errno;
        close(directory);
    }
    if (endpoint->fd < 0)
        fail_lookup(endpoint, error);
    if (class_is_link)
        endpoint->result = ENDPOINT_LINK;
}

static int open_endpoint(const char *queue_directory, const void *asked, void *answer)
{
    const struct question *question = asked;
    struct endpoint *endpoint = answer;
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
    if (endpoint->fd < 0)
        open_stepwise(endpoint, queue_directory, question, &found);
    if (endpoint->fd < 0)
        return -1;
    endpoint->result = check_type(&found.status);
    endpoint->identity =
        (struct endpoint_identity){found.status.st_dev, found.status.st_ino, found.born};
    endpoint->error = endpoint->result == ENDPOINT_LINK ? ELOOP : 0;
    endpoint->is_far = limits_of_run == NULL; /* in a worker: maybe */
    if (endpoint->result != ENDPOINT_SOCKET && endpoint->result != ENDPOINT_FIFO)
        descriptors_close(&endpoint->fd);
    return endpoint->fd;
}

enum endpoint_result endpoint_open(struct endpoint *endpoint, const char *queue_directory,
                                   const char *class, const char *service)
{
    struct question question = {0};
    struct worker_task task = {.work = open_endpoint,
                               .path = queue_directory,
                               .question = &question,
                               .length = sizeof(question),
                               .answer = endpoint,
                               .size = sizeof(*endpoint)};
    int error = ENAMETOOLONG;

    if (strlen(class) < sizeof(question.class) && strlen(service) < sizeof(question.service)) {
        (void)stpcpy(question.class, class);
        (void)stpcpy(question.service, service);
        error = path_ask(&task, false);
    }
    if (error != 0) {
        fail_lookup(endpoint, error);
    } else {
        endpoint->fd = task.fd;
        endpoint->is_far = endpoint->is_far && task.fd >= 0 && !path_is_near(task.fd);
    }
    return endpoint->result;
}

/* Connects to what the path in /proc stands for, or only checks whether it can be written to. */
static int reach(const char *path, const void *connects, void *error)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int fd = -1;
    bool succeeds;

    if (*(const bool *)connects) {
        (void)stpcpy(address.sun_path, path);
        fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
        succeeds = fd >= 0 && connect(fd, (struct sockaddr *)&address, sizeof(address)) == 0;
    } else {
        succeeds = access(path, W_OK) == 0;
    }
    *(int *)error = succeeds ? 0 : errno;
    if (!succeeds)
        descriptors_close(&fd);
    return fd;
}

int endpoint_reach(const struct endpoint *endpoint, bool connects)
{
    char path[64];
    int failure;
    struct worker_task task = {.work = reach,
                               .path = path,
                               .question = &connects,
                               .length = sizeof(connects),
                               .answer = &failure,
                               .size = sizeof(failure)};

    if (endpoint->is_far)
        (void)snprintf(path, sizeof(path), "/proc/%d/fd/%d", (int)getpid(), endpoint->fd);
    else
        (void)stpcpy(path, descriptors_path(endpoint->fd).text);
    int error = path_ask(&task, endpoint->is_far);
    if (error == 0 && failure == 0)
        return connects ? task.fd : 0;
    errno = error != 0 ? error : failure;
    return -1;
}
