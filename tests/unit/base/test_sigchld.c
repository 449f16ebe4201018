/* SPDX-License-Identifier: MIT */
/* SIGCHLD: caught whatever was set before, and that is set again. */
#include "base/sigchld.h"
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

static void test_caught(void **state)
{
    struct sigchld previous;
    sigset_t none, mask;

    (void)state;
    (void)signal(SIGCHLD, SIG_IGN);
    assert_int_equal(sigchld_catch(&previous), 0);
    sigchld_came = 0;
    pid_t child = fork();
    if (child == 0)
        _exit(5);
    int status = 0;
    siginfo_t info;
    assert_int_equal(waitid(P_PID, (id_t)child, &info, WEXITED | WNOWAIT), 0);
    assert_int_equal(sigchld_came, 0); /* it is blocked */
    sigemptyset(&none);
    assert_int_equal(ppoll(NULL, 0, NULL, &none), -1);
    assert_int_equal(sigchld_came, 1);
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(WEXITSTATUS(status), 5);
    sigchld_release(&previous);
    assert_int_equal(sigprocmask(SIG_BLOCK, NULL, &mask), 0);
    assert_int_equal(sigismember(&mask, SIGCHLD), 0);
    assert_true(signal(SIGCHLD, SIG_DFL) == SIG_IGN);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_caught)};

    return cmocka_run_group_tests_name("sigchld", tests, NULL, NULL);
}
