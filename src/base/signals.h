/* SPDX-License-Identifier: MIT */
/*
 * signals: SIGINT, SIGTERM and SIGHUP are caught while the program waits, so that it can report
 * what was left undone before the signal ends it; SIGCHLD while child processes run.
 */
#ifndef SIGNALS_H
#define SIGNALS_H

#include <signal.h>
#include <stdbool.h>

/*
 * Makes the program independent of the inherited dispositions and mask: nothing is blocked; SIGCHLD
 * and SIGALRM have their default action; SIGPIPE and SIGXFSZ are ignored, because the calls that
 * raise them return an error. Other signals that were ignored remain ignored (SIGHUP by nohup(1),
 * SIGINT and SIGQUIT by a shell in the background).
 */
void signals_start(void);

/* Catches the three signals from now on, except those that were ignored when the program started.
 * They are blocked except during a wait. Before this call they end the program: nothing has been
 * done by then. */
void signals_catch(void);

/* The number of the last signal, or 0, and how many have arrived. */
extern volatile sig_atomic_t signals_received;
extern volatile sig_atomic_t signals_count;

/* Returns the mask for ppoll(2), which admits the three signals. */
const sigset_t *signals_wait_mask(void);

/*
 * While on, a signal (SIGRTMIN) interrupts blocking system calls every 50 ms: they fail with EINTR
 * or return early, so that the caller can check its limits. Unlike SIGALRM, it does not disturb an
 * alarm(2) that was set before the program was started. To be called after signals_start().
 */
void signals_tick(bool on);

/* Set when a child process has stopped or ended, while that is caught. */
extern volatile sig_atomic_t signals_child;

/* The previous settings of SIGCHLD. */
struct signals_previous {
    struct sigaction action;
    sigset_t mask;
};

/* Catches SIGCHLD, whatever its inherited disposition (if it were ignored, children would leave no
 * status). It is blocked except during a wait whose mask admits it, and sets signals_child.
 * Returns 0, or an errno with nothing changed. */
int signals_catch_child(struct signals_previous *previous);

/* Restores the previous settings. */
void signals_release_child(const struct signals_previous *previous);

/* Ends the program by the signal that arrived, or one that is pending; returns if there is none. */
void signals_die(void);

#endif
