/* SPDX-License-Identifier: MIT */
/* The listing of -l. */
#include "instances.h"
#include "report/list.h"

static void assert_list(bool json, const char *expected)
{
    UT_string out;

    utstring_init(&out);
    report_list(&selection, json, false, &out);
    assert_string_equal(utstring_body(&out), expected);
    utstring_done(&out);
}

TEST(list)
{
    instances[0].running = MASTER_RUNNING;
    instances[1].running = MASTER_STOPPED;
    instances[0].identity = INSTANCE_EXACT;
    instances[1].identity = INSTANCE_LENIENT;
    utarray_new(instances[0].conflicts, &strings_icd);
    strings_append(instances[0].conflicts, "a b");
    strings_append(instances[0].conflicts, "c");
    assert_list(false, "postfix-a       -               y         /etc/a\n"
                       "-               -               -         /etc/b\\033\n");
    assert_list(
        true,
        "{\"name\": \"postfix-a\", \"group\": \"-\", \"enabled\": \"y\", \"config_directory\": "
        "\"/etc/a\", \"queue_directory\": \"\", \"data_directory\": \"\", \"running\": \"y\", "
        "\"identity\": \"exact\", \"conflicts\": [\"a b\", \"c\"], \"reason\": \"\"}\n"
        "{\"name\": \"-\", \"group\": \"-\", \"enabled\": \"-\", \"config_directory\": "
        "\"/etc/b\\u001B\", \"queue_directory\": \"\", \"data_directory\": \"\", \"running\": "
        "\"n\", \"identity\": \"lenient\", \"conflicts\": [], \"reason\": \"it is\\nbroken\"}\n");
}
