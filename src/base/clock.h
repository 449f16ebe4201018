/* SPDX-License-Identifier: MIT */
/*
 * clock: time that does not jump, for every limit in the program.
 */
#ifndef CLOCK_H
#define CLOCK_H

#include <limits.h>
#include <stdint.h>
#include <time.h>

#define CLOCK_SECOND ((int64_t)1000000)
#define CLOCK_NEVER INT64_MAX

/* Returns CLOCK_MONOTONIC in microseconds: setting the system's clock does not change it. */
static inline int64_t clock_now(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * CLOCK_SECOND + now.tv_nsec / 1000;
}

/* Returns the time that many seconds after now; an int of seconds cannot overflow it. */
static inline int64_t clock_after(int64_t now, int seconds)
{
    return now + (int64_t)seconds * CLOCK_SECOND;
}

/* Returns the timeout for poll(2) and epoll_wait(2) from now until due, in milliseconds rounded
 * up; -1 for CLOCK_NEVER. */
static inline int clock_poll_timeout(int64_t now, int64_t due)
{
    if (due == CLOCK_NEVER)
        return -1;
    if (due <= now)
        return 0;
    int64_t milliseconds = (due - now + 999) / 1000;
    return milliseconds > INT_MAX ? INT_MAX : (int)milliseconds;
}

#endif
