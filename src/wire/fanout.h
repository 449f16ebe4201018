/*
 * fanout: all triggers at the same time, from one thread, over edge-triggered epoll(7).
 */
#ifndef FANOUT_H
#define FANOUT_H

#include "wire/trigger.h"
#include <signal.h>

struct fanout {
    struct trigger *triggers;
    size_t count;
    int connections; /* at once; at least 1 */
    int64_t stop;    /* end of the whole run, a clock_now() value or CLOCK_NEVER */
    const volatile sig_atomic_t *interrupted; /* becomes non-zero: give up; NULL: never */
    const sigset_t *signals; /* mask during the wait only, for handlers that set it; or NULL */
    /* When not NULL, called first after a second of waiting, then once a second. */
    void (*progress)(void *context, int64_t now);
    void *context;
};

/*
 * Runs all triggers to their end; the time for several silent services is the longest of their
 * limits, not the sum. Past the number of connections, or of descriptors, triggers go in turns.
 * When interrupted, the triggers that have not ended keep TRIGGER_PENDING; nothing stays open.
 * Returns 0, or an errno when epoll itself cannot be had.
 */
int fanout_run(const struct fanout *fanout);

#endif
