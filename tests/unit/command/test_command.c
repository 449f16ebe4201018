/* SPDX-License-Identifier: MIT */
/* What the commands share: the selection that the options ask for, and import_environment. */
#include "base/clock.h"
#include "base/strings.h"
#include "command/command.h"
#include "fixture.h"

static struct settings *settings;
static struct options options;
static struct command command;

static int setup(void **state)
{
    static char program[] = "postkick", class[] = "public", service[] = "qmgr", request[] = "W";
    static char *argv[] = {program, class, service, request, NULL};
    UT_array *errors;
    char *error = NULL;

    if (fixture_setup(state) != 0 || !options_parse(&options, 4, argv, &error))
        return -1;
    utarray_new(errors, &strings_icd);
    char *text = alloc_format("[postfix]\nconfig_directory = %s\n", fixture_root);
    settings = settings_load(fixture_file("postkick.ini", text), true, errors);
    free(text);
    utarray_free(errors);
    command =
        (struct command){.options = &options, .settings = settings, .limits = &fixture_no_limits};
    (void)setenv("POSTKICK_ONE", "old", 1);
    (void)setenv("POSTKICK_TWO", "old", 1);
    (void)unsetenv("POSTKICK_NEW");
    (void)fixture_file("main.cf", "value = a=b\n"
                                  "import_environment = POSTKICK_ONE, POSTKICK_TWO=$value\n"
                                  "    POSTKICK_NEW= POSTKICK_NONE\n");
    return settings == NULL ? -1 : 0;
}

static int teardown(void **state)
{
    settings_free(settings);
    options_free(&options);
    return fixture_teardown(state);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, setup, teardown)

static void make_selection(enum parameter_purpose purpose)
{
    struct selection selection;

    assert_true(command_select(&command, purpose, &selection));
    assert_int_equal(selection.member_count, 1);
    selection_free(&selection);
}

/* Items with a value set it; names alone say what may stay, and remove nothing here. */
static void test_import_environment(void **state)
{
    (void)state;
    make_selection(PARAMETER_FOR_KICK);
    assert_string_equal(getenv("POSTKICK_ONE"), "old");
    assert_string_equal(getenv("POSTKICK_TWO"), "a=b");
    assert_string_equal(getenv("POSTKICK_NEW"), "");
    assert_null(getenv("POSTKICK_NONE"));
}

static void test_not_for_children(void **state)
{
    static const enum parameter_purpose purposes[] = {PARAMETER_FOR_POSTFIX, PARAMETER_FOR_COMMAND};

    (void)state;
    for (size_t i = 0; i < 2; i++) {
        make_selection(purposes[i]);
        assert_string_equal(getenv("POSTKICK_TWO"), "old");
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_import_environment),
        TEST(test_not_for_children),
    };

    return cmocka_run_group_tests_name("command", tests, NULL, NULL);
}
