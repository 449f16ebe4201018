/* SPDX-License-Identifier: MIT */
/* What ends a run: its time, and signals, which the wait mask admits. */
#include "base/limits.h"
#include "base/signals.h"
#include "fixture.h"

TEST(time)
{
    int64_t before = clock_now();
    struct limits limits = limits_start(90), none = limits_start(0);

    assert_true(limits.end >= before + 90 * CLOCK_SECOND);
    assert_true(limits.end <= clock_now() + 90 * CLOCK_SECOND);
    assert_int_equal(limits.seconds, 90);
    assert_true(none.end == CLOCK_NEVER);
    assert_false(limits_reached(&limits));
    assert_false(limits_reached(&none));
    limits.end = before;
    assert_true(limits_reached(&limits));
    assert_false(limits_interrupted(&limits));
}

/* A caught signal is blocked, and is counted when the limits are checked. */
TEST(signals)
{
    signals_start();
    signals_catch();
    struct limits limits = limits_start(0);

    assert_int_equal(raise(SIGTERM), 0);
    assert_int_equal(*limits.interrupted, 0);
    assert_true(limits_interrupted(&limits));
    assert_int_equal(*limits.interrupted, SIGTERM);
    assert_int_equal(*limits.interruptions, 1);
    assert_true(limits_reached(&limits));
    assert_int_equal(raise(SIGINT), 0);
    assert_true(limits_interrupted(&limits));
    assert_int_equal(*limits.interrupted, SIGINT);
    assert_int_equal(*limits.interruptions, 2);
}

/* Without signals, as for the settings of a test, only the time counts. */
TEST(no_signals)
{
    const struct limits limits = {.end = CLOCK_NEVER};

    assert_false(limits_interrupted(&limits));
    assert_false(limits_reached(&limits));
}
