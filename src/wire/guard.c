/* SPDX-License-Identifier: MIT */
/* Refuses descriptors that services pass, or ends the wait for their close. */
#include "wire/guard.h"
#include <stddef.h>
#include <sys/socket.h>

/* Newer than the C library's headers; some architectures have their own numbers. */
#if !defined(SO_PASSRIGHTS) && !defined(__hppa__) && !defined(__sparc__)
#define SO_PASSRIGHTS 83
#endif

#define GUARD_SIGNAL SIGRTMIN /* SIGALRM may belong to an alarm(2) of our parent */
#define TICK_NANOSECONDS 1000000

bool guard_refuse(int socket)
{
#ifdef SO_PASSRIGHTS
    const int off = 0;

    return setsockopt(socket, SOL_SOCKET, SO_PASSRIGHTS, &off, sizeof(off)) == 0;
#else
    (void)socket;
    return false;
#endif
}

static void tick(int number)
{
    (void)number;
}

static sigset_t only_signal(void)
{
    sigset_t set;

    sigemptyset(&set);
    sigaddset(&set, GUARD_SIGNAL);
    return set;
}

void guard_start(struct guard *guard)
{
    /* No SA_RESTART: a write to a terminal that is stopped would begin again each time. */
    struct sigaction action = {.sa_handler = tick};
    struct sigevent event = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = GUARD_SIGNAL};
    const struct itimerspec ticks = {.it_interval.tv_nsec = TICK_NANOSECONDS,
                                     .it_value.tv_nsec = TICK_NANOSECONDS};
    sigset_t set = only_signal();

    if (guard->is_on || timer_create(CLOCK_MONOTONIC, &event, &guard->timer) < 0)
        return;
    sigemptyset(&action.sa_mask);
    guard->is_on = sigaction(GUARD_SIGNAL, &action, &guard->action) == 0;
    if (!guard->is_on) {
        (void)timer_delete(guard->timer);
        return;
    }
    (void)sigprocmask(SIG_UNBLOCK, &set, &guard->mask);
    (void)timer_settime(guard->timer, 0, &ticks, NULL);
}

sigset_t guard_wait_mask(const sigset_t *mask)
{
    sigset_t result;

    if (mask != NULL)
        result = *mask;
    else if (sigprocmask(SIG_BLOCK, NULL, &result) < 0)
        sigemptyset(&result);
    sigaddset(&result, GUARD_SIGNAL);
    return result;
}

void guard_pause(const struct guard *guard, bool on)
{
    sigset_t set = only_signal();

    if (guard != NULL && guard->is_on)
        (void)sigprocmask(on ? SIG_BLOCK : SIG_UNBLOCK, &set, NULL);
}

void guard_stop(struct guard *guard)
{
    if (!guard->is_on)
        return;
    /* The signal is not blocked here, so that none stays pending. */
    (void)timer_delete(guard->timer);
    (void)sigprocmask(SIG_SETMASK, &guard->mask, NULL);
    (void)sigaction(GUARD_SIGNAL, &guard->action, NULL);
    guard->is_on = false;
}
