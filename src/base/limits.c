/* SPDX-License-Identifier: MIT */
/* Checks what ends a run early: its time, and signals. */
#include "base/limits.h"
#include "base/signals.h"
#include <stddef.h>

struct limits limits_start(int seconds)
{
    return (struct limits){
        .end = seconds == 0 ? CLOCK_NEVER : clock_after(clock_now(), seconds),
        .seconds = seconds,
        .interrupted = &signals_received,
        .interruptions = &signals_count,
        .wait_mask = signals_wait_mask(),
    };
}

bool limits_interrupted(const struct limits *limits)
{
    sigset_t previous;

    if (limits->interrupted == NULL)
        return false;
    if (limits->wait_mask != NULL && sigprocmask(SIG_SETMASK, limits->wait_mask, &previous) == 0)
        (void)sigprocmask(SIG_SETMASK, &previous, NULL);
    return *limits->interrupted != 0;
}

bool limits_reached(const struct limits *limits)
{
    return limits_interrupted(limits) || clock_now() >= limits->end;
}
