/* SPDX-License-Identifier: MIT */
/* The report of instances that cannot be served. */
#include "instances.h"
#include "report/selection.h"

static void report_single(void)
{
    selection.is_single = true;
    report_instance_error(&selection, &instances[1]);
}

static void report_several(void)
{
    report_instance_error(&selection, &instances[1]);
}

static void test_instance_error(void **state)
{
    (void)state;
    struct fixture_result single = fixture_run(report_single, STDERR_FILENO);
    struct fixture_result several = fixture_run(report_several, STDERR_FILENO);

    assert_string_equal(single.text, "postkick: warning: note\n"
                                     "postkick: fatal: it is\\012broken\n");
    assert_string_equal(several.text, "postkick: warning: /etc/b\\033: note\n"
                                      "postkick: warning: /etc/b\\033: it is\\012broken\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        INSTANCES_TEST(test_instance_error),
    };

    return cmocka_run_group_tests_name("report_selection", tests, NULL, NULL);
}
