#include "base/signals.h"
#include <stddef.h>
#include <unistd.h>

volatile sig_atomic_t signals_received;
volatile sig_atomic_t signals_count;

static const int noticed[] = {SIGINT, SIGTERM, SIGHUP};
#define NOTICED (sizeof(noticed) / sizeof(noticed[0]))

static sigset_t wait_mask;

static void notice(int number)
{
    signals_received = number;
    signals_count++;
}

void signals_ignore_pipe(void)
{
    (void)signal(SIGPIPE, SIG_IGN);
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

void signals_die(void)
{
    for (size_t i = 0; i < NOTICED; i++)
        if (signals_received == 0 || signals_received == noticed[i])
            (void)signal(noticed[i], SIG_DFL);
    if (signals_received != 0)
        (void)raise(signals_received);
    (void)sigprocmask(SIG_SETMASK, &wait_mask, NULL); /* what is pending comes now */
}
