/* SPDX-License-Identifier: MIT */
/* Sets inherited signals, catches those that end a run, and checks its time. */
#include "base/limits.h"
#include <limits.h>
#include <stddef.h>

static const int noticed[] = {SIGINT, SIGTERM, SIGHUP};
#define NOTICED (sizeof(noticed) / sizeof(noticed[0]))

static volatile sig_atomic_t received, count;
static sigset_t caught, wait_mask;
static bool catches; /* otherwise a signal ends the program by itself */

static void notice(int number)
{
    received = number;
    count++;
}

void signals_start(void)
{
    sigset_t none;

    (void)signal(SIGCHLD, SIG_DFL);
    (void)signal(SIGALRM, SIG_DFL);
    (void)signal(SIGPIPE, SIG_IGN);
    (void)signal(SIGXFSZ, SIG_IGN);
    sigemptyset(&none);
    (void)sigprocmask(SIG_SETMASK, &none, NULL);
    received = count = 0;
}

void signals_catch(void)
{
    struct sigaction action = {.sa_handler = notice}, previous;

    sigemptyset(&action.sa_mask);
    for (size_t i = 0; i < NOTICED; i++) {
        if (sigaction(noticed[i], NULL, &previous) < 0 || previous.sa_handler == SIG_IGN)
            continue;
        (void)sigaction(noticed[i], &action, NULL);
        sigaddset(&caught, noticed[i]);
    }
    (void)sigprocmask(SIG_BLOCK, &caught, &wait_mask);
    catches = true;
    for (size_t i = 0; i < NOTICED; i++)
        sigdelset(&wait_mask, noticed[i]);
}

int signals_poll(struct pollfd *polls, nfds_t number, int64_t due)
{
    int64_t now = clock_now(), left = due > now ? due - now : 0;
    const struct timespec timeout = {(time_t)(left / CLOCK_SECOND),
                                     (long)(left % CLOCK_SECOND) * 1000};

    return ppoll(polls, number, due == CLOCK_NEVER ? NULL : &timeout, &wait_mask);
}

int signals_epoll(int epoll, struct epoll_event *events, int most, int64_t due)
{
    int64_t now = clock_now(), left = due > now ? (due - now + 999) / 1000 : 0;
    int timeout = due == CLOCK_NEVER ? -1 : left > INT_MAX ? INT_MAX : (int)left;

    return epoll_pwait(epoll, events, most, timeout, &wait_mask);
}

int signals_received(void)
{
    sigset_t previous;

    if (catches && sigprocmask(SIG_SETMASK, &wait_mask, &previous) == 0)
        (void)sigprocmask(SIG_SETMASK, &previous, NULL);
    return received;
}

int signals_count(void)
{
    return count;
}

void signals_die(void)
{
    for (size_t i = 0; i < NOTICED; i++)
        if (sigismember(&caught, noticed[i]) == 1 && (received == 0 || received == noticed[i]))
            (void)signal(noticed[i], SIG_DFL);
    if (received != 0)
        (void)raise(received);
    (void)sigprocmask(SIG_SETMASK, &wait_mask, NULL); /* delivers what is pending */
}

const struct limits *limits_of_run;

const struct limits *limits_start(int seconds)
{
    static struct limits limits;

    limits.end = seconds == 0 ? CLOCK_NEVER : clock_after(clock_now(), seconds);
    limits.seconds = seconds;
    return limits_of_run = &limits;
}

bool limits_reached(const struct limits *limits)
{
    return signals_received() != 0 || clock_now() >= limits->end;
}

const char *limits_reason(void)
{
    return signals_received() != 0 ? "interrupted" : "time limit reached";
}
