/* SPDX-License-Identifier: MIT */
/*
 * sigchld: SIGCHLD, which reports that a child process has stopped or ended. Internal to process.
 */
#ifndef SIGCHLD_H
#define SIGCHLD_H

#include <signal.h>

/* Set when the signal has arrived. */
extern volatile sig_atomic_t sigchld_came;

/* The previous settings. */
struct sigchld {
    struct sigaction action;
    sigset_t mask;
};

/* Catches the signal, whatever its inherited disposition (if it were ignored, children would leave
 * no status). It is blocked except during a wait whose mask admits it, and sets sigchld_came.
 * Returns 0, or an errno with nothing changed. */
int sigchld_catch(struct sigchld *previous);

/* Restores the previous settings. */
void sigchld_release(const struct sigchld *previous);

#endif
