/* SPDX-License-Identifier: MIT */
/*
 * fanout: all triggers at the same time, from one thread, over edge-triggered epoll(7).
 */
#ifndef FANOUT_H
#define FANOUT_H

#include "base/limits.h"
#include "wire/trigger.h"

struct fanout {
    struct trigger *triggers;
    size_t count;
    int connections; /* at once; at least 1 */
    const struct limits *limits;
    /* When not NULL, called first after a second of waiting, then once a second. */
    void (*progress)(void *context, int64_t now);
    void *context;
};

/*
 * Runs all triggers that are idle to their end, and leaves the others alone; the time for several
 * silent services is the longest of their limits, not the sum. Past the number of connections, or
 * of descriptors, triggers go in turns. When interrupted, the triggers that have not ended keep
 * TRIGGER_PENDING; nothing stays open. Returns 0, or an errno when epoll itself cannot be had.
 */
int fanout_run(const struct fanout *fanout);

#endif
