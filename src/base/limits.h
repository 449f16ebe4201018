/* SPDX-License-Identifier: MIT */
/*
 * limits: what ends a run before it is done: its time, and the signals that interrupt it. Built
 * once, by main, and passed to everything that waits or works for long.
 */
#ifndef LIMITS_H
#define LIMITS_H

#include <signal.h>
#include <stdbool.h>
#include <stdint.h>

struct limits {
    int64_t end; /* of the whole run: a clock_now() value, or CLOCK_NEVER */
    int seconds; /* the same as the -t that was given, for messages; 0 without */
    /* the signal that came last, 0 before that, and how many came; NULL: signals are not caught */
    const volatile sig_atomic_t *interrupted;
    const volatile sig_atomic_t *interruptions;
    const sigset_t *wait_mask; /* for ppoll(2) and epoll_pwait(2): lets the signals in; or NULL */
};

/* The limits of a run that may take so many seconds (0: any time) from now on, and of the signals
 * that signals_catch() catches. */
struct limits limits_start(int seconds);

/* True once a signal has interrupted the run. Signals are let in for a moment where they are
 * blocked. */
bool limits_interrupted(const struct limits *limits);

/* True once the run has to end, of a signal or because its time is over. Costs three system calls:
 * not for every byte. */
bool limits_reached(const struct limits *limits);

#endif
