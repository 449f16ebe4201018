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

TEST(instance_error)
{
    fixture_assert_errors(report_single, "postkick: warning: note\n"
                                         "postkick: fatal: it is\\012broken\n");
    fixture_assert_errors(report_several, "postkick: warning: /etc/b\\033: note\n"
                                          "postkick: warning: /etc/b\\033: it is\\012broken\n");
}
