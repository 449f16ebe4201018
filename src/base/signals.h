/* SPDX-License-Identifier: MIT */
/*
 * signals: SIGINT, SIGTERM and SIGHUP are noticed while the program waits, so that it can say what
 * was left undone, and then die of the signal.
 */
#ifndef SIGNALS_H
#define SIGNALS_H

#include <signal.h>
#include <stdbool.h>

/*
 * Makes the program independent of the dispositions and the mask that it inherited: nothing is
 * blocked; SIGCHLD and SIGALRM have their default action; SIGPIPE and SIGXFSZ are ignored, because
 * their errors are looked at where they occur. What else was ignored stays so (SIGHUP by nohup(1),
 * SIGINT and SIGQUIT by a shell in the background).
 */
void signals_start(void);

/* From now on the three signals are noticed, those excepted that were ignored when the program
 * started (nohup(1)). They are blocked outside of the wait. Before that they end the program, as
 * nothing has been done yet. */
void signals_catch(void);

/* The number of the signal that came last, or 0, and how many came. */
extern volatile sig_atomic_t signals_received;
extern volatile sig_atomic_t signals_count;

/* The mask to wait with, as in ppoll(2): the three signals get through. */
const sigset_t *signals_wait_mask(void);

/*
 * From on until off, every 50 ms a signal (SIGRTMIN) interrupts the system call that blocks, which
 * then fails with EINTR or ends short: so that the caller can look at its limits. Unlike SIGALRM it
 * leaves alone an alarm(2) that whoever started the program set for it. After signals_start().
 */
void signals_tick(bool on);

/* Dies of the signal that came, or of one that is pending; returns when there is none. */
void signals_die(void);

#endif
