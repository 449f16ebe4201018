/*
 * signals: SIGINT, SIGTERM and SIGHUP are noticed while the program waits, so that it can say what
 * was left undone, and then die of the signal.
 */
#ifndef SIGNALS_H
#define SIGNALS_H

#include <signal.h>

/* Ignores SIGPIPE: its errors are looked at where they occur. */
void signals_ignore_pipe(void);

/* From now on the three signals are noticed, those excepted that were ignored when the program
 * started (nohup(1)). They are blocked outside of the wait. Before that they end the program, as
 * nothing has been done yet. */
void signals_catch(void);

/* The number of the signal that came last, or 0, and how many came. */
extern volatile sig_atomic_t signals_received;
extern volatile sig_atomic_t signals_count;

/* The mask to wait with, as in ppoll(2): the three signals get through. */
const sigset_t *signals_wait_mask(void);

/* Dies of the signal that came, or of one that is pending; returns when there is none. */
void signals_die(void);

#endif
