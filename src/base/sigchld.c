/* SPDX-License-Identifier: MIT */
/* Catches SIGCHLD while child processes run. */
#include "base/sigchld.h"
#include <errno.h>
#include <stddef.h>

volatile sig_atomic_t sigchld_came;

static void notice(int number)
{
    (void)number;
    sigchld_came = 1;
}

int sigchld_catch(struct sigchld *previous)
{
    struct sigaction action = {.sa_handler = notice};
    sigset_t blocked;

    sigemptyset(&action.sa_mask);
    sigemptyset(&blocked);
    sigaddset(&blocked, SIGCHLD);
    if (sigprocmask(SIG_BLOCK, &blocked, &previous->mask) < 0)
        return errno;
    if (sigaction(SIGCHLD, &action, &previous->action) < 0) {
        int error = errno;
        (void)sigprocmask(SIG_SETMASK, &previous->mask, NULL);
        return error;
    }
    return 0;
}

void sigchld_release(const struct sigchld *previous)
{
    (void)sigaction(SIGCHLD, &previous->action, NULL);
    (void)sigprocmask(SIG_SETMASK, &previous->mask, NULL);
}
