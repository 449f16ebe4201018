/* SPDX-License-Identifier: MIT */
/* The standard descriptors, how many there may be, and writing to one. */
#include "base/descriptors.h"
#include "base/limits.h"
#include "base/signals.h"
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/close_range.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <sys/resource.h>
#include <unistd.h>

/* Seconds that a run whose time is over may still take to write its report. */
#define LAST_WORDS 1

/* For the standard streams, epoll, and the lookup of an endpoint. */
#define KEPT_BACK 10

static const struct limits *limits; /* of writing */
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

/* Returns when the wait for a reader ends: a clock_now() value. */
static int64_t last_moment(void)
{
    int64_t least = clock_after(clock_now(), LAST_WORDS);

    return limits_interrupted(limits) || limits->end < least ? least : limits->end;
}

static int count_signals(void)
{
    return limits->interruptions != NULL ? *limits->interruptions : 0;
}

/* Returns 0 when the write is to be repeated: after EINTR, and after EAGAIN once the descriptor can
 * be written to. Otherwise the error. */
static int wait_for_reader(int fd, int error)
{
    struct pollfd reader = {.fd = fd, .events = POLLOUT};

    if (error == EAGAIN || error == EWOULDBLOCK)
        return poll(&reader, 1, -1) < 0 && errno != EINTR ? errno : 0;
    return error == EINTR ? 0 : error;
}

/* Without limits, end and signals, how many had arrived before, do not matter. */
static int write_all(int fd, const char *text, size_t length, int64_t end, int signals)
{
    while (length > 0) {
        ssize_t count = write(fd, text, length);
        int error = count < 0 ? wait_for_reader(fd, errno) : 0;

        if (error != 0)
            return error;
        if (count > 0) {
            text += count;
            length -= (size_t)count;
        }
        if (length > 0 && limits != NULL && count_signals() != signals)
            return EINTR;
        if (length > 0 && limits != NULL && clock_now() >= end)
            return ETIMEDOUT;
    }
    return 0;
}

void descriptors_limit_writing(const struct limits *to)
{
    limits = to;
}

int descriptors_write(int fd, const char *text, size_t length)
{
    sigset_t previous;

    if (limits == NULL)
        return write_all(fd, text, length, 0, 0);
    int64_t end = last_moment();
    int signals = count_signals();
    signals_tick(true);
    if (limits->wait_mask != NULL)
        (void)sigprocmask(SIG_SETMASK, limits->wait_mask, &previous);
    int error = write_all(fd, text, length, end, signals);
    if (limits->wait_mask != NULL)
        (void)sigprocmask(SIG_SETMASK, &previous, NULL);
    signals_tick(false);
    return error;
}
