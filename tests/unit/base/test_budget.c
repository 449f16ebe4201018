/* SPDX-License-Identifier: MIT */
/* How much work one instance may cause. */
#include "base/budget.h"
#include "fixture.h"

TEST(spends_to_the_end)
{
    struct budget budget = budget_start(10, NULL);

    assert_true(budget_spend(&budget, 0));
    assert_true(budget_spend(&budget, 10));
    assert_true(budget_spend(&budget, 0));
    assert_string_equal(budget_reason(&budget), "");
    assert_false(budget_spend(&budget, 1));
    assert_int_equal(budget.state, BUDGET_SPENT);
    assert_string_equal(budget_reason(&budget), "more work than is allowed for one instance");
    assert_false(budget_spend(&budget, 1));
}

TEST(large_sums)
{
    struct budget budget = budget_start(SIZE_MAX, NULL);

    assert_true(budget_spend(&budget, SIZE_MAX - 5));
    assert_true(budget_spend(&budget, 5));
    assert_false(budget_spend(&budget, 1));
    budget = budget_start(BUDGET_INSTANCE, NULL);
    assert_false(budget_spend(&budget, SIZE_MAX));
    budget = budget_start(BUDGET_INSTANCE, NULL);
    for (size_t i = 0; i < BUDGET_INSTANCE / 1024; i++)
        assert_true(budget_spend(&budget, 1024));
    assert_false(budget_spend(&budget, 1));
}

/* Small work is done even after the end: the loop over instances checks the limits itself. */
TEST(the_time_is_over)
{
    const struct limits over = {.end = 0};
    struct budget budget = budget_start(BUDGET_INSTANCE, &over);

    assert_true(budget_spend(&budget, 100000));
    assert_false(budget_spend(&budget, BUDGET_INSTANCE / 2));
    assert_int_equal(budget.state, BUDGET_ENDED);
    assert_string_equal(budget_reason(&budget), "not read: time limit reached");
    assert_false(budget_spend(&budget, 1));
}

TEST(a_signal_came)
{
    struct budget budget = budget_start(BUDGET_INSTANCE, &fixture_no_limits);

    signals_start();
    signals_catch();
    assert_int_equal(raise(SIGTERM), 0);
    assert_false(budget_spend(&budget, BUDGET_INSTANCE));
    assert_string_equal(budget_reason(&budget), "not read: interrupted");
    signals_start();
    budget = budget_start(BUDGET_INSTANCE, &fixture_no_limits);
    assert_true(budget_spend(&budget, BUDGET_INSTANCE));
}
