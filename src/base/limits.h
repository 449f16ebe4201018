/* SPDX-License-Identifier: MIT */
/*
 * limits: what ends a run early: its time, and signals. Built once, by main, and passed to
 * everything that waits or works for long.
 */
#ifndef LIMITS_H
#define LIMITS_H

#include <limits.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <time.h>

/*
 * clock: time that does not jump, for every limit in the program.
 */

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

struct limits {
    int64_t end; /* of the whole run: a clock_now() value, or CLOCK_NEVER */
    int seconds; /* -t, for messages; 0 without */
    /* the last signal, 0 before the first, and how many arrived; NULL: signals are not caught */
    const volatile sig_atomic_t *interrupted;
    const volatile sig_atomic_t *interruptions;
    const sigset_t *wait_mask; /* for ppoll(2) and epoll_pwait(2): admits the signals; or NULL */
};

/* Returns the limits of a run that may take that many seconds from now (0: any time), and is ended
 * by the signals that signals_catch() catches. */
struct limits limits_start(int seconds);

/* Whether a signal has interrupted the run. Admits blocked signals for a moment. */
bool limits_interrupted(const struct limits *limits);

/* Whether the run has to end, because of a signal or of its time. Costs three system calls: not for
 * every byte. */
bool limits_reached(const struct limits *limits);

#endif
