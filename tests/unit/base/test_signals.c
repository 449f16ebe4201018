/* SPDX-License-Identifier: MIT */
/* Signals: what was inherited, which are caught, and the end by one. Each in a process of its own.
 */
#include "base/signals.h"
#include "fixture.h"
#include <poll.h>

static const char *disposition(int number)
{
    struct sigaction action;

    (void)sigaction(number, NULL, &action);
    return action.sa_handler == SIG_DFL   ? "default"
           : action.sa_handler == SIG_IGN ? "ignored"
                                          : "caught";
}

static void start_with_odd_signals(void)
{
    sigset_t mask;

    (void)signal(SIGCHLD, SIG_IGN);
    (void)signal(SIGALRM, SIG_IGN);
    (void)signal(SIGHUP, SIG_IGN);
    sigfillset(&mask);
    (void)sigprocmask(SIG_BLOCK, &mask, NULL);
    signals_start();
    (void)sigprocmask(SIG_BLOCK, NULL, &mask);
    printf("%s %s %s %s %s, blocked: %d", disposition(SIGCHLD), disposition(SIGALRM),
           disposition(SIGPIPE), disposition(SIGXFSZ), disposition(SIGHUP), !sigisemptyset(&mask));
    (void)fflush(stdout);
}

TEST(inherited)
{
    struct fixture_result result = fixture_run(start_with_odd_signals, STDOUT_FILENO);

    assert_string_equal(result.text, "default default ignored ignored ignored, blocked: 0");
}

/* They come during the wait, and not before. */
static void catch_signals(void)
{
    const struct timespec moment = {0};

    (void)signal(SIGHUP, SIG_IGN);
    signals_start();
    signals_catch();
    (void)raise(SIGHUP);
    (void)raise(SIGTERM);
    printf("%d %d, ", (int)signals_received, (int)signals_count);
    (void)ppoll(NULL, 0, &moment, signals_wait_mask());
    printf("%d %d, %s %s %s", (int)signals_received, (int)signals_count, disposition(SIGINT),
           disposition(SIGTERM), disposition(SIGHUP));
    (void)fflush(stdout);
}

TEST(caught)
{
    struct fixture_result result = fixture_run(catch_signals, STDOUT_FILENO);

    assert_string_equal(result.text, "0 0, 15 1, caught caught ignored");
}

static void die_of_pending(void)
{
    signals_start();
    signals_catch();
    (void)raise(SIGINT);
    signals_die();
}

static void die_of_received(void)
{
    const struct timespec moment = {0};

    signals_start();
    signals_catch();
    (void)raise(SIGTERM);
    (void)ppoll(NULL, 0, &moment, signals_wait_mask());
    signals_die();
}

static void die_of_none(void)
{
    signals_start();
    signals_catch();
    signals_die();
}

TEST(die)
{
    assert_int_equal(WTERMSIG(fixture_run(die_of_pending, STDOUT_FILENO).status), SIGINT);
    assert_int_equal(WTERMSIG(fixture_run(die_of_received, STDOUT_FILENO).status), SIGTERM);
    assert_int_equal(fixture_run(die_of_none, STDOUT_FILENO).status, 0);
}

/* While it is on, a call that blocks fails with EINTR. */
static void tick(void)
{
    const struct timespec moment = {.tv_nsec = 200000000};
    int ends[2];
    char byte;

    signals_start();
    (void)!pipe2(ends, O_CLOEXEC);
    signals_tick(true);
    ssize_t count = read(ends[0], &byte, 1);
    int error = errno;
    signals_tick(false);
    printf("%zd %s, %d", count, strerrorname_np(error), ppoll(NULL, 0, &moment, NULL));
    (void)fflush(stdout);
}

TEST(tick)
{
    struct fixture_result result = fixture_run(tick, STDOUT_FILENO);

    assert_string_equal(result.text, "-1 EINTR, 0");
}

/* Whatever SIGCHLD was set to before, it is caught, and that is set again. */
TEST(children)
{
    struct signals_previous previous;
    sigset_t none, mask;

    (void)signal(SIGCHLD, SIG_IGN);
    assert_int_equal(signals_catch_child(&previous), 0);
    signals_child = 0;
    pid_t child = fork();
    if (child == 0)
        _exit(5);
    int status = 0;
    siginfo_t info;
    assert_int_equal(waitid(P_PID, (id_t)child, &info, WEXITED | WNOWAIT), 0);
    assert_int_equal(signals_child, 0); /* it is blocked */
    sigemptyset(&none);
    assert_int_equal(ppoll(NULL, 0, NULL, &none), -1);
    assert_int_equal(signals_child, 1);
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(WEXITSTATUS(status), 5);
    signals_release_child(&previous);
    assert_int_equal(sigprocmask(SIG_BLOCK, NULL, &mask), 0);
    assert_int_equal(sigismember(&mask, SIGCHLD), 0);
    assert_true(signal(SIGCHLD, SIG_DFL) == SIG_IGN);
}
