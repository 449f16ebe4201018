/* SPDX-License-Identifier: MIT */
/*
 * sigchld: the signal that says that a child process has stopped or ended. Internal to process.
 */
#ifndef SIGCHLD_H
#define SIGCHLD_H

#include <signal.h>

/* Set when the signal came. */
extern volatile sig_atomic_t sigchld_came;

/* What was set before. */
struct sigchld {
    struct sigaction action;
    sigset_t mask;
};

/* From now on the signal sets sigchld_came, and comes only during a wait whose mask lets it in:
 * whatever our parent made of it (ignored, children would leave no status behind). Returns 0; or
 * an errno, with nothing changed. */
int sigchld_catch(struct sigchld *previous);

/* Sets what was set before. */
void sigchld_release(const struct sigchld *previous);

#endif
