/* SPDX-License-Identifier: MIT */
/* The parameters that are used, and what Postfix accepts for them. */
#include "fixture.h"
#include "postfix/parameter.h"
#include <strings.h>

/* The rows are in the order of the enum, and found by their names. */
TEST(rows)
{
    /* clang-format off */
#define ROW(name) [PARAMETER_##name] = #name
    static const char *const names[] = {
        ROW(CONFIG_DIRECTORY), ROW(QUEUE_DIRECTORY), ROW(DATA_DIRECTORY), ROW(COMMAND_DIRECTORY),
        ROW(DAEMON_DIRECTORY), ROW(SHLIB_DIRECTORY), ROW(MULTI_INSTANCE_DIRECTORIES),
        ROW(MULTI_INSTANCE_NAME), ROW(MULTI_INSTANCE_GROUP), ROW(ALTERNATE_CONFIG_DIRECTORIES),
        ROW(IMPORT_ENVIRONMENT), ROW(QUEUE_SERVICE_NAME), ROW(PICKUP_SERVICE_NAME),
        ROW(QUEUE_MINFREE), ROW(MESSAGE_SIZE_LIMIT), ROW(APPLICATION_EVENT_DRAIN_TIME),
        ROW(TRIGGER_TIMEOUT), ROW(MULTI_INSTANCE_ENABLE), ROW(POSTMULTI_START_COMMANDS),
        ROW(POSTMULTI_STOP_COMMANDS), ROW(POSTMULTI_CONTROL_COMMANDS),
    };
    /* clang-format on */

    assert_int_equal(COUNT(names), PARAMETER_COUNT);
    for (int i = 0; i < PARAMETER_COUNT; i++) {
        const char *name = parameter_name((enum parameter)i);
        char *longer = alloc_format("%sx", name);
        enum parameter found = PARAMETER_COUNT;

        assert_int_equal(strcasecmp(name, names[i]), 0);
        assert_false(parameter_find(name, strlen(name) - 1, &found));
        assert_false(parameter_find(longer, strlen(longer), &found));
        assert_true(parameter_find(longer, strlen(name), &found));
        assert_int_equal(found, i);
        assert_false(parameter_find(names[i], strlen(name), &found));
        free(longer);
    }
}

/* A value is as long as what it can name. */
TEST(lengths)
{
    static const struct {
        enum parameter parameter;
        size_t longest;
    } cases[] = {
        {PARAMETER_QUEUE_DIRECTORY, 4095},     {PARAMETER_MULTI_INSTANCE_DIRECTORIES, 4194304},
        {PARAMETER_IMPORT_ENVIRONMENT, 65536}, {PARAMETER_MULTI_INSTANCE_NAME, 255},
        {PARAMETER_TRIGGER_TIMEOUT, 255},      {PARAMETER_MULTI_INSTANCE_ENABLE, 255}};

    for (size_t i = 0; i < COUNT(cases); i++) {
        char *value = alloc_zeroed(1, cases[i].longest + 2), *error = NULL;

        (void)memset(value, '1', cases[i].longest);
        if (!parameter_check(cases[i].parameter, value, &error))
            assert_null(strstr(error, "string length"));
        (void)memset(value, '1', cases[i].longest + 1);
        assert_false(parameter_check(cases[i].parameter, value, &error));
        fixture_assert_text(error, "bad string length %zu > %zu: %s = 11111111111111111111...",
                            cases[i].longest + 1, cases[i].longest,
                            parameter_name(cases[i].parameter));
        free(error);
        free(value);
    }
}

TEST(checks)
{
    static const struct {
        enum parameter parameter;
        const char *value;
        const char *error; /* NULL: none */
    } cases[] = {
        {PARAMETER_MULTI_INSTANCE_NAME, "", NULL},
        {PARAMETER_MULTI_INSTANCE_DIRECTORIES, "", NULL},
        {PARAMETER_QUEUE_DIRECTORY, "x", NULL},
        {PARAMETER_QUEUE_DIRECTORY, "", "bad string length 0 < 1: queue_directory = "},
        {PARAMETER_PICKUP_SERVICE_NAME, "", "bad string length 0 < 1: pickup_service_name = "},
        {PARAMETER_MULTI_INSTANCE_ENABLE, "Yes", NULL},
        {PARAMETER_MULTI_INSTANCE_ENABLE, "",
         "bad boolean configuration: multi_instance_enable = "},
        {PARAMETER_MULTI_INSTANCE_ENABLE, "maybe",
         "bad boolean configuration: multi_instance_enable = maybe"},
        {PARAMETER_TRIGGER_TIMEOUT, "1", NULL},
        {PARAMETER_TRIGGER_TIMEOUT, "0", "invalid trigger_timeout: 0 (min 1)"},
        {PARAMETER_TRIGGER_TIMEOUT, "", "parameter trigger_timeout: bad time value or unit: "},
        {PARAMETER_APPLICATION_EVENT_DRAIN_TIME, "2w", NULL},
        {PARAMETER_APPLICATION_EVENT_DRAIN_TIME, "5x",
         "parameter application_event_drain_time: bad time value or unit: 5x"},
        /* measured with Postfix's postkick */
        {PARAMETER_IMPORT_ENVIRONMENT, "", NULL},
        {PARAMETER_IMPORT_ENVIRONMENT, "MAIL_CONFIG TZ LANG=C", NULL},
        {PARAMETER_IMPORT_ENVIRONMENT, "A==", NULL},
        {PARAMETER_IMPORT_ENVIRONMENT, "a}b, A=b{c", NULL},
        {PARAMETER_IMPORT_ENVIRONMENT, "{A = b c} {} { } {a b}", NULL},
        {PARAMETER_IMPORT_ENVIRONMENT, "=x", "update_env: missing attribute name in: =x"},
        {PARAMETER_IMPORT_ENVIRONMENT, "A=b =x y", "update_env: missing attribute name in: =x"},
        {PARAMETER_IMPORT_ENVIRONMENT, "\f=x", "update_env: missing attribute name in: =x"},
        {PARAMETER_IMPORT_ENVIRONMENT, "{ =b }", "update_env: missing attribute name in: =b"},
        {PARAMETER_IMPORT_ENVIRONMENT, "X {A=b Y", "import_environment: missing '}' in \"{A=b Y\""},
        {PARAMETER_IMPORT_ENVIRONMENT, "{A=b}x",
         "import_environment: syntax error after '}' in \"{A=b}x\""},
    };

    for (size_t i = 0; i < COUNT(cases); i++) {
        char *error = NULL;

        assert_int_equal(parameter_check(cases[i].parameter, cases[i].value, &error),
                         cases[i].error == NULL);
        if (cases[i].error == NULL)
            assert_null(error);
        else
            assert_string_equal(error, cases[i].error);
        free(error);
    }
}
