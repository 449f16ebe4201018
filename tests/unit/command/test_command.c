/* SPDX-License-Identifier: MIT */
/* What the commands share: the selection that the options ask for, and import_environment. */
#include "command/command.h"
#include "settings.h"

static struct settings *settings;
static struct options options;
static struct command command;

SETUP(setup)
{
    static char program[] = "postkick", class[] = "public", service[] = "qmgr", request[] = "W";
    static char *argv[] = {program, class, service, request, NULL};
    char *error = NULL;

    assert_true(options_parse(&options, 4, argv, &error));
    settings = settings_of("[postfix]\nconfig_directory = @\n");
    command =
        (struct command){.options = &options, .settings = settings, .limits = &fixture_no_limits};
    (void)setenv("POSTKICK_ONE", "old", 1);
    (void)setenv("POSTKICK_TWO", "old", 1);
    (void)unsetenv("POSTKICK_NEW");
    (void)fixture_file("main.cf", "value = a=b\n"
                                  "import_environment = POSTKICK_ONE, POSTKICK_TWO=$value\n"
                                  "    POSTKICK_NEW= POSTKICK_NONE\n");
}

TEARDOWN(teardown)
{
    settings_free(settings);
    options_free(&options);
}

static void make_selection(enum parameter_purpose purpose)
{
    struct selection selection;

    assert_true(command_select(&command, purpose, &selection));
    assert_int_equal(selection.member_count, 1);
    selection_free(&selection);
}

/* Items with a value set it; names alone say what may stay, and remove nothing here. */
TEST(import_environment)
{
    make_selection(PARAMETER_FOR_KICK);
    assert_string_equal(getenv("POSTKICK_ONE"), "old");
    assert_string_equal(getenv("POSTKICK_TWO"), "a=b");
    assert_string_equal(getenv("POSTKICK_NEW"), "");
    assert_null(getenv("POSTKICK_NONE"));
}

TEST(not_for_children)
{
    static const enum parameter_purpose purposes[] = {PARAMETER_FOR_POSTFIX, PARAMETER_FOR_COMMAND};

    for (size_t i = 0; i < 2; i++) {
        make_selection(purposes[i]);
        assert_string_equal(getenv("POSTKICK_TWO"), "old");
    }
}
