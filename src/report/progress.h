/* SPDX-License-Identifier: MIT */
/*
 * report/progress: a line on a terminal while a run waits: how many of how many are done, how long
 * it may still take, and which instances it waits for.
 */
#ifndef PROGRESS_H
#define PROGRESS_H

#include "base/alloc.h"
#include <stdbool.h>
#include <stdint.h>

/* The content of one line. */
struct progress {
    size_t count; /* of kicks or jobs */
    size_t done;
    int64_t end;       /* the latest end of those not done: a clock_now() value, or CLOCK_NEVER */
    UT_string waiting; /* the names of those not done, as many as a line can show */
};

/* True when standard error is a terminal. */
bool progress_is_wanted(void);

/* Starts a line. progress_show() empties it again. */
void progress_start(struct progress *progress);

/* Counts one that is done. */
void progress_add_done(struct progress *progress);

/* Counts one that is waited for until end (CLOCK_NEVER: any time); name is its instance's
 * configuration directory, or NULL if it is not started. */
void progress_add_waiting(struct progress *progress, const char *name, int64_t end);

/* Writes the line over the previous one. */
void progress_show(struct progress *progress, int64_t now);

/* Erases the line, if there is one. */
void progress_clear(void);

#endif
