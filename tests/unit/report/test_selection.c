/* SPDX-License-Identifier: MIT */
/* The report of instances that cannot be served, and the listing of -l. */
#include "instances.h"
#include "report/list.h"

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

static void assert_text(UT_string *out, const char *expected)
{
    assert_string_equal(utstring_body(out), expected);
    utstring_clear(out);
}

TEST(list)
{
    UT_string out;

    utstring_init(&out);
    report_list_text(&selection, &out);
    assert_text(&out, "postfix-a       -               y         /etc/a\n"
                      "-               -               -         /etc/b\\033\n");
    report_list_json(&selection, &out);
    assert_text(
        &out,
        "{\"name\": \"postfix-a\", \"group\": \"-\", \"enabled\": \"y\", \"config_directory\": "
        "\"/etc/a\", \"queue_directory\": \"\", \"data_directory\": \"\", \"running\": \"-\", "
        "\"reason\": \"\"}\n"
        "{\"name\": \"-\", \"group\": \"-\", \"enabled\": \"-\", \"config_directory\": "
        "\"/etc/b\\u001B\", \"queue_directory\": \"\", \"data_directory\": \"\", \"running\": "
        "\"-\", \"reason\": \"it is\\nbroken\"}\n");
    utstring_done(&out);
}
