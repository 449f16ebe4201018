#include "wire/endpoint.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#define DESCRIPTOR_PATH "/proc/self/fd/%d"

static bool out_of_descriptors(int error)
{
    return error == EMFILE || error == ENFILE;
}

/*
 * Queue directory and class in one open(2): O_NOFOLLOW is about the last component only, so links
 * on the way to the queue directory, and itself as a link, are followed, and the class as a link
 * is not.
 */
static int open_class(const char *queue_directory, const char *class)
{
    char path[4096];
    int length = snprintf(path, sizeof(path), "%s/%s", queue_directory, class);

    if (length < 0 || (size_t)length >= sizeof(path)) {
        errno = ENAMETOOLONG;
        return -1;
    }
    return open(path, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
}

/* A link opened with O_DIRECTORY and O_NOFOLLOW is ENOTDIR: tell it from a plain file. */
static bool class_is_link(const char *queue_directory, const char *class)
{
    struct stat status;
    int directory = open(queue_directory, O_PATH | O_DIRECTORY | O_CLOEXEC);

    if (directory < 0)
        return false;
    bool link =
        fstatat(directory, class, &status, AT_SYMLINK_NOFOLLOW) == 0 && S_ISLNK(status.st_mode);
    close(directory);
    return link;
}

static enum endpoint_result check_type(const struct stat *status)
{
    if (S_ISSOCK(status->st_mode))
        return ENDPOINT_SOCKET;
    if (S_ISFIFO(status->st_mode))
        return status->st_nlink > 1 ? ENDPOINT_HARD_LINKS : ENDPOINT_FIFO;
    return S_ISLNK(status->st_mode) ? ENDPOINT_LINK : ENDPOINT_WRONG_TYPE;
}

static enum endpoint_result failed_lookup(struct endpoint *endpoint, int error)
{
    endpoint->error = error;
    return out_of_descriptors(error) ? ENDPOINT_DESCRIPTORS : ENDPOINT_LOOKUP;
}

enum endpoint_result endpoint_open(struct endpoint *endpoint, const char *queue_directory,
                                   const char *class, const char *service)
{
    struct stat status;

    *endpoint = (struct endpoint){.fd = -1, .directory = -1};
    endpoint->directory = open_class(queue_directory, class);
    if (endpoint->directory < 0) {
        int error = errno;
        endpoint->error = error;
        if (error == ENOTDIR && class_is_link(queue_directory, class))
            return ENDPOINT_LINK;
        return failed_lookup(endpoint, error);
    }
    endpoint->fd = openat(endpoint->directory, service, O_PATH | O_NOFOLLOW | O_CLOEXEC);
    if (endpoint->fd < 0 || fstat(endpoint->fd, &status) < 0) {
        int error = errno;
        endpoint_close(endpoint);
        return failed_lookup(endpoint, error);
    }
    enum endpoint_result result = check_type(&status);
    endpoint->error = result == ENDPOINT_LINK ? ELOOP : 0;
    if (result != ENDPOINT_SOCKET && result != ENDPOINT_FIFO)
        endpoint_close(endpoint);
    return result;
}

/* Whether a call through /proc/self/fd failed because there is no /proc. */
static bool proc_is_missing(int error)
{
    return error == ENOENT && access("/proc/self/fd", F_OK) != 0;
}

/* The name still leads to what was checked. */
static bool still_same(const struct endpoint *endpoint, const char *service)
{
    struct stat checked, named;

    return fstat(endpoint->fd, &checked) == 0 &&
           fstatat(endpoint->directory, service, &named, AT_SYMLINK_NOFOLLOW) == 0 &&
           checked.st_dev == named.st_dev && checked.st_ino == named.st_ino;
}

/*
 * Without /proc the name has to be used again, so it is compared after the connection and before
 * the first byte. Weaker: who swaps the name twice at the right moments is not noticed.
 */
static int connect_by_name(const struct endpoint *endpoint, int socket, const char *service)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};

    if (strlen(service) >= sizeof(address.sun_path)) {
        errno = ENAMETOOLONG;
        return -1;
    }
    memcpy(address.sun_path, service, strlen(service) + 1);
    if (fchdir(endpoint->directory) < 0 ||
        connect(socket, (const struct sockaddr *)&address, sizeof(address)) < 0)
        return -1;
    if (still_same(endpoint, service))
        return 0;
    errno = ESTALE;
    return -1;
}

int endpoint_connect(const struct endpoint *endpoint, int socket, const char *service)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};

    (void)snprintf(address.sun_path, sizeof(address.sun_path), DESCRIPTOR_PATH, endpoint->fd);
    if (connect(socket, (const struct sockaddr *)&address, sizeof(address)) == 0)
        return 0;
    return proc_is_missing(errno) ? connect_by_name(endpoint, socket, service) : -1;
}

int endpoint_open_fifo(const struct endpoint *endpoint, const char *service)
{
    char path[sizeof(DESCRIPTOR_PATH) + 16];
    const int flags = O_WRONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC;

    (void)snprintf(path, sizeof(path), DESCRIPTOR_PATH, endpoint->fd);
    int fd = open(path, flags);
    if (fd >= 0 || !proc_is_missing(errno))
        return fd;
    fd = openat(endpoint->directory, service, flags | O_NOFOLLOW);
    if (fd >= 0 && !still_same(endpoint, service)) {
        close(fd);
        errno = ESTALE;
        return -1;
    }
    return fd;
}

bool endpoint_writable(const struct endpoint *endpoint, const char *service)
{
    char path[sizeof(DESCRIPTOR_PATH) + 16];

    (void)snprintf(path, sizeof(path), DESCRIPTOR_PATH, endpoint->fd);
    if (faccessat(AT_FDCWD, path, W_OK, AT_EACCESS) == 0)
        return true;
    return proc_is_missing(errno) && faccessat(endpoint->directory, service, W_OK, AT_EACCESS) == 0;
}

static void close_descriptor(int *fd)
{
    if (*fd >= 0)
        close(*fd);
    *fd = -1;
}

void endpoint_close(struct endpoint *endpoint)
{
    close_descriptor(&endpoint->fd);
    close_descriptor(&endpoint->directory);
}
