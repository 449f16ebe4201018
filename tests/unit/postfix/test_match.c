/* SPDX-License-Identifier: MIT */
/* Which instance a name given with -i means. */
#include "fixture.h"
#include "postfix/selection.h"

static char name_a[] = "postfix-a", directory_a[] = "/etc/postfix-a", root[] = "/etc/postfix";
static const struct instance a = {.config_directory = directory_a,
                                  .values[PARAMETER_MULTI_INSTANCE_NAME] = name_a};
static const struct instance home = {.config_directory = root, .is_default = true};

TEST(names)
{
    static const struct {
        const char *wanted;
        bool is_a;
        bool is_home;
    } cases[] = {
        {"postfix-a", true, false},
        {"a", true, false},
        {"A", false, false},
        {"fix-a", false, false},
        {"", false, false},
        {"-", false, true},
        {"postfix", false, false},
        {"etc/postfix-a", false, false},
        {"/etc/postfix-a", true, false},
        {"/etc/postfix-a//", true, false},
        {"/etc/postfix/", false, true},
        {"/", false, false},
        {"postfix-*", true, false},
        {"[ab]", true, false},
        {"*", true, false},
        {"*x", false, false},
        {"/etc/*", true, true},
        {"/*", false, false},
        {"/etc/postfix-[a", false, false},
    };

    for (size_t i = 0; i < COUNT(cases); i++) {
        assert_int_equal(match_name(&a, cases[i].wanted), cases[i].is_a);
        assert_int_equal(match_name(&home, cases[i].wanted), cases[i].is_home);
    }
}

/* A name is itself, whatever pattern it would be. */
TEST(literal)
{
    static char odd[] = "[x";
    const struct instance instance = {.config_directory = root,
                                      .values[PARAMETER_MULTI_INSTANCE_NAME] = odd};

    assert_true(match_name(&instance, "[x"));
    assert_false(match_name(&instance, "x"));
}

TEST(any)
{
    UT_array *names = strings_split("nosuch,a", ",");

    assert_true(match_any(&a, names));
    assert_false(match_any(&home, names));
    utarray_free(names);
}

TEST(exactly)
{
    UT_array *names = strings_split("nosuch,a", ","), *patterns = strings_split("[a],?,*", ",");

    assert_true(match_exactly(&a, names));
    assert_false(match_exactly(&home, names));
    assert_true(match_any(&a, patterns));
    assert_false(match_exactly(&a, patterns));
    utarray_free(names);
    utarray_free(patterns);
}

TEST(group)
{
    static char group[] = "mx";
    struct instance member = {.values[PARAMETER_MULTI_INSTANCE_GROUP] = group}, unknown = {0};

    assert_true(match_group(&member, "mx"));
    assert_false(match_group(&member, "m*"));
    assert_true(match_group(&unknown, "mx"));
}

TEST(directory_length)
{
    assert_int_equal(match_directory_length("/etc//"), strlen("/etc"));
    assert_int_equal(match_directory_length("//"), 1);
    assert_int_equal(match_directory_length(""), 0);
}
