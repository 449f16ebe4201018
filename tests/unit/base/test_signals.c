/* SPDX-License-Identifier: MIT */
/* SIGCHLD: caught whatever was set before, and that is set again. */
#include "base/signals.h"
#include "fixture.h"
#include <poll.h>

TEST(caught)
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
