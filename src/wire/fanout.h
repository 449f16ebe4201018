/* SPDX-License-Identifier: MIT */
/*
 * fanout: runs all triggers at the same time, from one thread, with edge-triggered epoll(7).
 *
 * The last close of a socket can block, uninterruptibly too, when the service has passed
 * descriptors to it. So sockets that may hold some are closed by a child process that has no other
 * file open, and is not waited for.
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
    bool *renewed; /* set by claim() when it has renewed other triggers; or NULL */
    /* When not NULL, called first after a second of waiting, then once a second. */
    void (*progress)(void *context, int64_t now);
    void *context;
};

/*
 * Runs all idle triggers until they are done; others are left alone. Several silent services take
 * the longest of their limits, not the sum. When there are more triggers than connections, or than
 * descriptors, they take turns. After an interruption, triggers that are not done keep
 * TRIGGER_PENDING; nothing stays open. Returns 0, or the errno of epoll(7).
 */
int fanout_run(const struct fanout *fanout);

#endif
