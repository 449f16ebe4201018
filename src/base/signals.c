/* SPDX-License-Identifier: MIT */
/* Sets inherited signals, catches those that end a run, and interrupts blocking calls. */
#include "base/signals.h"
#include <errno.h>
#include <stddef.h>
#include <time.h>
#include <unistd.h>

#define TICK_NANOSECONDS 50000000

volatile sig_atomic_t signals_received;
volatile sig_atomic_t signals_count;
volatile sig_atomic_t signals_child;

static const int noticed[] = {SIGINT, SIGTERM, SIGHUP};
#define NOTICED (sizeof(noticed) / sizeof(noticed[0]))

static sigset_t wait_mask;
static bool can_tick; /* its signal is caught: it would end the program */

static void notice(int number)
{
    signals_received = number;
    signals_count++;
}

static void notice_child(int number)
{
    (void)number;
    signals_child = 1;
}

static void interrupt(int number)
{
    (void)number; /* its only effect is that the system call returns */
}

void signals_start(void)
{
    struct sigaction tick = {.sa_handler = interrupt};
    sigset_t none;

    (void)signal(SIGCHLD, SIG_DFL);
    (void)signal(SIGALRM, SIG_DFL);
    (void)signal(SIGPIPE, SIG_IGN);
    (void)signal(SIGXFSZ, SIG_IGN);
    sigemptyset(&tick.sa_mask);
    can_tick = sigaction(SIGRTMIN, &tick, NULL) == 0;
    sigemptyset(&none);
    (void)sigprocmask(SIG_SETMASK, &none, NULL);
}

void signals_catch(void)
{
    struct sigaction action = {.sa_handler = notice}, previous;
    sigset_t blocked;

    sigemptyset(&action.sa_mask);
    sigemptyset(&blocked);
    for (size_t i = 0; i < NOTICED; i++) {
        if (sigaction(noticed[i], NULL, &previous) < 0 || previous.sa_handler == SIG_IGN)
            continue;
        (void)sigaction(noticed[i], &action, NULL);
        sigaddset(&blocked, noticed[i]);
    }
    (void)sigprocmask(SIG_BLOCK, &blocked, &wait_mask);
    for (size_t i = 0; i < NOTICED; i++)
        sigdelset(&wait_mask, noticed[i]);
}

const sigset_t *signals_wait_mask(void)
{
    return &wait_mask;
}

/* The timer stays from the first use to the end of the program. */
void signals_tick(bool on)
{
    static timer_t timer;
    static bool is_there;
    struct sigevent event = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGRTMIN};
    struct timespec interval = {.tv_nsec = on ? TICK_NANOSECONDS : 0};
    struct itimerspec times = {interval, interval};

    if (!is_there)
        is_there = on && can_tick && timer_create(CLOCK_MONOTONIC, &event, &timer) == 0;
    if (is_there)
        (void)timer_settime(timer, 0, &times, NULL);
}

int signals_catch_child(struct signals_previous *previous)
{
    struct sigaction action = {.sa_handler = notice_child};
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

void signals_release_child(const struct signals_previous *previous)
{
    (void)sigaction(SIGCHLD, &previous->action, NULL);
    (void)sigprocmask(SIG_SETMASK, &previous->mask, NULL);
}

void signals_die(void)
{
    for (size_t i = 0; i < NOTICED; i++)
        if (signals_received == 0 || signals_received == noticed[i])
            (void)signal(noticed[i], SIG_DFL);
    if (signals_received != 0)
        (void)raise(signals_received);
    (void)sigprocmask(SIG_SETMASK, &wait_mask, NULL); /* delivers what is pending */
}
