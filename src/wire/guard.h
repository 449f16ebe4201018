/* SPDX-License-Identifier: MIT */
/*
 * guard: against services that pass descriptors (SCM_RIGHTS, unix(7)) to their client. Whoever
 * drops the last reference to one waits as long as its close waits: a TCP socket with SO_LINGER
 * and unsent data holds the client in recvmsg(2) or close(2), where no limit of ours is looked at.
 * Linux 6.16 can refuse them. Before that a signal ends the wait: so there is one every
 * millisecond.
 */
#ifndef GUARD_H
#define GUARD_H

#include <signal.h>
#include <stdbool.h>
#include <time.h>

/* Starts as {0}. */
struct guard {
    bool is_on;
    timer_t timer;
    struct sigaction action; /* the signal's, and the mask, before */
    sigset_t mask;
};

/* Lets the kernel refuse what is passed to a socket that is not connected yet. Returns false when
 * this kernel cannot. */
bool guard_refuse(int socket);

/* From now on no wait of the kernel in recvmsg(2), send(2) and close(2) is longer than about a
 * millisecond. Does nothing when it is on already. No error is reported: without a timer, the
 * program works as far as services are honest. */
void guard_start(struct guard *guard);

/* The mask for epoll_pwait(2) with the guard's signal blocked, so that it does not end the wait:
 * mask, or the present one when that is NULL, and the signal. */
sigset_t guard_wait_mask(const sigset_t *mask);

/* Ends it; what was before is again. Does nothing when it is off. */
void guard_stop(struct guard *guard);

#endif
