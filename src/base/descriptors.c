/* SPDX-License-Identifier: MIT */
/* The standard descriptors, how many there may be, and opening what one stands for. */
#include "base/descriptors.h"
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/close_range.h>
#include <stdbool.h>
#include <stdio.h>
#include <sys/resource.h>
#include <unistd.h>

/* For the standard streams, epoll, and the lookup of an endpoint. */
#define KEPT_BACK 10

static struct rlimit original;
static int own_directory = -1; /* /proc/self/fd */
static bool raised;

/* A closed standard output is opened for reading only: a write to it still fails. */
int descriptors_open_standard(void)
{
    for (int fd = 0; fd <= 2; fd++)
        if (fcntl(fd, F_GETFD) < 0 && errno == EBADF &&
            open("/dev/null", fd == STDOUT_FILENO ? O_RDONLY : O_RDWR) < 0)
            return errno;
    return 0;
}

void descriptors_raise_limit(void)
{
    if (raised || getrlimit(RLIMIT_NOFILE, &original) < 0)
        return;
    struct rlimit limit = {original.rlim_max, original.rlim_max};
    raised = setrlimit(RLIMIT_NOFILE, &limit) == 0;
}

int descriptors_for_connections(void)
{
    struct rlimit limit;

    if (getrlimit(RLIMIT_NOFILE, &limit) < 0 || limit.rlim_cur <= KEPT_BACK)
        return 1;
    rlim_t available = limit.rlim_cur - KEPT_BACK;
    return available > INT_MAX ? INT_MAX : (int)available;
}

bool descriptors_exhausted(int error)
{
    return error == EMFILE || error == ENFILE;
}

int descriptors_find_own(void)
{
    if (own_directory < 0)
        own_directory = open("/proc/self/fd", O_PATH | O_DIRECTORY | O_CLOEXEC);
    return own_directory < 0 ? errno : 0;
}

/* From the open directory: to look up the whole path each time takes a third longer. */
int descriptors_reopen(int fd, int flags)
{
    char name[3 * sizeof(fd)];

    if (descriptors_find_own() != 0)
        return -1;
    (void)snprintf(name, sizeof(name), "%d", fd);
    return openat(own_directory, name, flags);
}

void descriptors_close(int *fd)
{
    if (*fd >= 0)
        close(*fd);
    *fd = -1;
}

void descriptors_restore_for_child(void)
{
    if (raised)
        (void)setrlimit(RLIMIT_NOFILE, &original);
    (void)close_range(3, UINT_MAX, CLOSE_RANGE_CLOEXEC);
}

/* One by one where the kernel has no close_range(2) (before 5.9). */
static void close_all_from(unsigned first)
{
    struct rlimit limit = {0};

    if (close_range(first, UINT_MAX, 0) == 0 || getrlimit(RLIMIT_NOFILE, &limit) < 0)
        return;
    for (; first < limit.rlim_cur; first++)
        close((int)first);
}

int descriptors_keep_only(int *fd)
{
    if (dup2(*fd, STDIN_FILENO) < 0)
        return errno;
    close_all_from(STDIN_FILENO + 1);
    own_directory = -1;
    *fd = fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
    if (*fd < 0)
        return errno;
    close(STDIN_FILENO);
    return descriptors_open_standard();
}
