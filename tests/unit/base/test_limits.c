/* SPDX-License-Identifier: MIT */
/* What ends a run: its time, and signals: what was inherited, which are caught, and the end by one.
 */
#include "base/limits.h"
#include "fixture.h"
#include <poll.h>

TEST(time)
{
    int64_t before = clock_now();
    struct limits limits = *limits_start(90), none = *limits_start(0);

    assert_true(limits.end >= before + 90 * CLOCK_SECOND);
    assert_true(limits.end <= clock_now() + 90 * CLOCK_SECOND);
    assert_int_equal(limits.seconds, 90);
    assert_true(none.end == CLOCK_NEVER);
    assert_false(limits_reached(&limits));
    assert_false(limits_reached(&none));
    limits.end = before;
    assert_true(limits_reached(&limits));
}

/* Not before the time, which is rounded up, and not long after. */
TEST(waits)
{
    struct epoll_event event;
    int epoll = epoll_create1(EPOLL_CLOEXEC);

    for (int i = 0; i < 4; i++) {
        int64_t due = clock_now() + (i < 2 ? 1500 : -1500);

        assert_int_equal(
            i % 2 == 0 ? signals_poll(NULL, 0, due) : signals_epoll(epoll, &event, 1, due), 0);
        fixture_assert_between(clock_now(), due, due + 60 * CLOCK_SECOND);
    }
    close(epoll);
}

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
    sigemptyset(&mask); /* of which the system call fills in a part */
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

static void show_received(void)
{
    printf("%d ", signals_count());
    printf("%d, ", signals_received());
}

/* They come during a wait, or when they are asked for, and not before. */
static void catch_signals(void)
{
    const struct limits limits = {.end = CLOCK_NEVER};
    struct epoll_event event;

    (void)signal(SIGHUP, SIG_IGN);
    signals_start();
    signals_catch();
    signals_catch(); /* again is no harm */
    show_received();
    (void)raise(SIGHUP);
    (void)raise(SIGTERM);
    show_received();
    (void)raise(SIGINT);
    (void)signals_poll(NULL, 0, CLOCK_NEVER);
    show_received();
    (void)raise(SIGTERM);
    (void)signals_epoll(epoll_create1(EPOLL_CLOEXEC), &event, 1, CLOCK_NEVER);
    show_received();
    printf("%d, %s %s %s", limits_reached(&limits), disposition(SIGINT), disposition(SIGTERM),
           disposition(SIGHUP));
    (void)fflush(stdout);
}

TEST(caught)
{
    struct fixture_result result = fixture_run(catch_signals, STDOUT_FILENO);

    assert_string_equal(result.text, "0 0, 0 15, 2 2, 3 15, 1, caught caught ignored");
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
    signals_start();
    signals_catch();
    (void)raise(SIGTERM);
    (void)signals_received();
    signals_die();
}

/* What was ignored at the start, as by nohup(1), ends nothing to the last. */
static void die_of_none(void)
{
    (void)signal(SIGHUP, SIG_IGN);
    signals_start();
    signals_catch();
    signals_die();
    (void)raise(SIGHUP);
}

TEST(die)
{
    assert_int_equal(WTERMSIG(fixture_run(die_of_pending, STDOUT_FILENO).status), SIGINT);
    assert_int_equal(WTERMSIG(fixture_run(die_of_received, STDOUT_FILENO).status), SIGTERM);
    assert_int_equal(fixture_run(die_of_none, STDOUT_FILENO).status, 0);
}
