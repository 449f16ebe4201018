/*
 * monotonic: time that does not jump, for every limit in the program.
 */
#ifndef MONOTONIC_H
#define MONOTONIC_H

#include <limits.h>
#include <stdint.h>
#include <time.h>

#define MONOTONIC_SECOND ((int64_t)1000000)
#define MONOTONIC_NEVER INT64_MAX

/* Microseconds since some moment in the past (CLOCK_MONOTONIC); setting the clock does not move
 * it. */
static inline int64_t monotonic_now(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * MONOTONIC_SECOND + now.tv_nsec / 1000;
}

/* The moment that is so many seconds after now; never an overflow. */
static inline int64_t monotonic_after(int64_t now, int seconds)
{
    return now + (int64_t)seconds * MONOTONIC_SECOND;
}

/* The timeout for poll(2) and epoll_wait(2), in milliseconds rounded up, from now until due; -1
 * for MONOTONIC_NEVER. */
static inline int monotonic_poll_timeout(int64_t now, int64_t due)
{
    if (due == MONOTONIC_NEVER)
        return -1;
    if (due <= now)
        return 0;
    int64_t milliseconds = (due - now + 999) / 1000;
    return milliseconds > INT_MAX ? INT_MAX : (int)milliseconds;
}

#endif
