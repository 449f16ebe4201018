/* SPDX-License-Identifier: MIT */
/* Opens the socket or FIFO of a service, and uses what was opened. */
#include "wire/endpoint.h"
#include "base/alloc.h"
#include "base/descriptors.h"
#include "base/path.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

static enum endpoint_result check_type(const struct statx *status)
{
    if (S_ISSOCK(status->stx_mode))
        return ENDPOINT_SOCKET;
    if (S_ISFIFO(status->stx_mode))
        return status->stx_nlink > 1 ? ENDPOINT_HARD_LINKS : ENDPOINT_FIFO;
    return S_ISLNK(status->stx_mode) ? ENDPOINT_LINK : ENDPOINT_WRONG_TYPE;
}

static struct endpoint_identity identify(const struct statx *status)
{
    bool known = (status->stx_mask & STATX_BTIME) != 0;

    return (struct endpoint_identity){
        .device = (uint64_t)status->stx_dev_major << 32 | status->stx_dev_minor,
        .inode = status->stx_ino,
        .born = known ? status->stx_btime.tv_sec * 1000000000 + status->stx_btime.tv_nsec : 0};
}

static enum endpoint_result fail_lookup(struct endpoint *endpoint, int error)
{
    endpoint_close(endpoint);
    endpoint->error = error;
    return descriptors_exhausted(error) ? ENDPOINT_DESCRIPTORS : ENDPOINT_LOOKUP;
}

/* open(2) with O_DIRECTORY and O_NOFOLLOW fails with ENOTDIR for a link and a plain file alike. */
static bool is_link(int directory, const char *name)
{
    struct stat status;

    return fstatat(directory, name, &status, AT_SYMLINK_NOFOLLOW) == 0 && S_ISLNK(status.st_mode);
}

/* One component at a time: links are followed in the path of the queue directory, and nowhere else.
 * Returns ENDPOINT_SOCKET with *endpoint open, whatever it is. */
static enum endpoint_result open_stepwise(struct endpoint *endpoint, const char *queue_directory,
                                          const char *class, const char *service)
{
    int queue = path_open(queue_directory, 0, O_DIRECTORY), directory = -1;
    enum endpoint_result result = ENDPOINT_SOCKET;

    if (queue >= 0)
        directory = path_open_direct(queue, class, O_DIRECTORY);
    int error = errno;
    bool class_is_link = queue >= 0 && directory < 0 && error == ENOTDIR && is_link(queue, class);
    descriptors_close(&queue);
    if (directory >= 0) {
        endpoint->fd = path_open_direct(directory, service, 0);
        error = errno;
        close(directory);
    }
    if (endpoint->fd < 0)
        result = fail_lookup(endpoint, error);
    return class_is_link ? ENDPOINT_LINK : result;
}

enum endpoint_result endpoint_open(struct endpoint *endpoint, const char *queue_directory,
                                   const char *class, const char *service)
{
    char *path = alloc_format("%s/%s/%s", queue_directory, class, service);
    struct statx status;

    *endpoint = (struct endpoint){.fd = path_open_direct(AT_FDCWD, path, 0)};
    free(path);
    if (endpoint->fd < 0) {
        enum endpoint_result result = open_stepwise(endpoint, queue_directory, class, service);
        if (endpoint->fd < 0)
            return result;
    }
    if (statx(endpoint->fd, "", AT_EMPTY_PATH, STATX_BASIC_STATS | STATX_BTIME, &status) < 0)
        return fail_lookup(endpoint, errno);
    enum endpoint_result result = check_type(&status);
    endpoint->identity = identify(&status);
    endpoint->is_socket = result == ENDPOINT_SOCKET;
    endpoint->error = result == ENDPOINT_LINK ? ELOOP : 0;
    if (result != ENDPOINT_SOCKET && result != ENDPOINT_FIFO)
        endpoint_close(endpoint);
    return result;
}

int endpoint_reach(const struct endpoint *endpoint)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};

    if (!endpoint->is_socket)
        return descriptors_reopen(endpoint->fd, O_WRONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return -1;
    (void)snprintf(address.sun_path, sizeof(address.sun_path), DESCRIPTORS_PATH, endpoint->fd);
    if (connect(fd, (const struct sockaddr *)&address, sizeof(address)) == 0)
        return fd;
    int error = errno;
    close(fd);
    errno = error;
    return -1;
}

bool endpoint_writable(const struct endpoint *endpoint)
{
    return descriptors_access(endpoint->fd, W_OK);
}

void endpoint_close(struct endpoint *endpoint)
{
    descriptors_close(&endpoint->fd);
}
