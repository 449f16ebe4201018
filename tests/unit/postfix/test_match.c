/* SPDX-License-Identifier: MIT */
/* Which instance a name given with -i means. */
#include "base/strings.h"
#include "fixture.h"
#include "postfix/match.h"

static char name_a[] = "postfix-a", directory_a[] = "/etc/postfix-a", root[] = "/etc/postfix";
static const struct instance a = {.config_directory = directory_a,
                                  .values[PARAMETER_MULTI_INSTANCE_NAME] = name_a};
static const struct instance home = {.config_directory = root, .is_default = true};

static void test_names(void **state)
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

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        assert_int_equal(match_name(&a, cases[i].wanted), cases[i].is_a);
        assert_int_equal(match_name(&home, cases[i].wanted), cases[i].is_home);
    }
}

/* A name is itself, whatever pattern it would be. */
static void test_literal(void **state)
{
    static char odd[] = "[x";
    const struct instance instance = {.config_directory = root,
                                      .values[PARAMETER_MULTI_INSTANCE_NAME] = odd};

    (void)state;
    assert_true(match_name(&instance, "[x"));
    assert_false(match_name(&instance, "x"));
}

static void test_any(void **state)
{
    UT_array *names = strings_split("nosuch,a", ",");

    (void)state;
    assert_true(match_any(&a, names));
    assert_false(match_any(&home, names));
    utarray_free(names);
}

static void test_exactly(void **state)
{
    UT_array *names = strings_split("nosuch,a", ","), *patterns = strings_split("[a],?,*", ",");

    (void)state;
    assert_true(match_exactly(&a, names));
    assert_false(match_exactly(&home, names));
    assert_true(match_any(&a, patterns));
    assert_false(match_exactly(&a, patterns));
    utarray_free(names);
    utarray_free(patterns);
}

static void test_group(void **state)
{
    static char group[] = "mx";
    struct instance member = {.values[PARAMETER_MULTI_INSTANCE_GROUP] = group}, unknown = {0};

    (void)state;
    assert_true(match_group(&member, "mx"));
    assert_false(match_group(&member, "m*"));
    assert_true(match_group(&unknown, "mx"));
}

static void test_directory_length(void **state)
{
    (void)state;
    assert_int_equal(match_directory_length("/etc//"), strlen("/etc"));
    assert_int_equal(match_directory_length("//"), 1);
    assert_int_equal(match_directory_length(""), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_names), cmocka_unit_test(test_literal),
        cmocka_unit_test(test_any),   cmocka_unit_test(test_exactly),
        cmocka_unit_test(test_group), cmocka_unit_test(test_directory_length),
    };

    return cmocka_run_group_tests_name("match", tests, NULL, NULL);
}
