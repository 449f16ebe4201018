/* SPDX-License-Identifier: MIT */
/*
 * guard: protects against services that pass descriptors (SCM_RIGHTS, unix(7)). The process that
 * drops the last reference to a descriptor waits for its close: a TCP socket with SO_LINGER and
 * unsent data blocks us in recvmsg(2) or close(2), beyond our limits. Linux 6.16 can refuse
 * descriptors. Before that a signal ends the wait: so there is one every millisecond.
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
    struct sigaction action; /* the previous action of the signal, and the previous mask */
    sigset_t mask;
};

/* Lets the kernel refuse descriptors that are passed to a socket, which is not connected yet.
 * Returns false when this kernel cannot. */
bool guard_refuse(int socket);

/* From now on recvmsg(2), send(2) and close(2) block for a millisecond at most, and system calls
 * that wait may fail with EINTR. Does nothing when it is on. Reports no error: without a timer, the
 * program works as long as services are honest. */
void guard_start(struct guard *guard);

/* Returns the mask for epoll_pwait(2): mask, or the present one when that is NULL, with the guard's
 * signal blocked, so that it does not end the wait. */
sigset_t guard_wait_mask(const sigset_t *mask);

/* While a pause is on, nothing is interrupted: a lookup in a network or FUSE file system that takes
 * longer than a millisecond would never succeed. Does nothing when guard is NULL or off. */
void guard_pause(const struct guard *guard, bool on);

/* Restores the previous state. Does nothing when it is off. */
void guard_stop(struct guard *guard);

#endif
