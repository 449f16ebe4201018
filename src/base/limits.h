/* SPDX-License-Identifier: MIT */
/*
 * limits: what ends a run early: its time, and signals. Built once, by main, and passed to
 * everything that waits or works for long.
 */
#ifndef LIMITS_H
#define LIMITS_H

#include <signal.h>
#include <stdbool.h>
#include <stdint.h>

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
