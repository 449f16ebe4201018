/* SPDX-License-Identifier: MIT */
/* import_environment: which of its items change our environment. */
#include "fixture.h"
#include "postfix/parameter.h"

/* Measured with Postfix's postkick. */
static const struct {
    const char *list;
    const char *error; /* NULL: it is taken */
} checks[] = {
    {"", NULL},
    {"MAIL_CONFIG TZ LANG=C", NULL},
    {"A==", NULL},
    {"a}b, A=b{c", NULL},
    {"{A = b c} {} { } {a b}", NULL},
    {"=x", "update_env: missing attribute name in: =x"},
    {"A=b =x y", "update_env: missing attribute name in: =x"},
    {"\f=x", "update_env: missing attribute name in: =x"},
    {"{ =b }", "update_env: missing attribute name in: =b"},
    {"X {A=b Y", "import_environment: missing '}' in \"{A=b Y\""},
    {"{A=b}x", "import_environment: syntax error after '}' in \"{A=b}x\""},
};

TEST(check)
{
    for (size_t i = 0; i < COUNT(checks); i++) {
        char *error = NULL;

        assert_int_equal(environment_check(checks[i].list, &error), checks[i].error == NULL);
        if (checks[i].error != NULL)
            assert_string_equal(error, checks[i].error);
        free(error);
    }
}

TEST(many_elements)
{
    char list[2 * (ENVIRONMENT_MAXIMUM + 1) + 1] = "", *error = NULL;

    for (int i = 0; i < ENVIRONMENT_MAXIMUM; i++)
        memcpy(&list[2 * i], "A ", sizeof("A "));
    assert_true(environment_check(list, &error));
    strcat(list, "A");
    assert_false(environment_check(list, &error));
    assert_string_equal(error, "import_environment: more than 1000 elements");
    free(error);
}

TEST(import)
{
    setenv("KEPT", "as it was", 1);
    environment_import("KEPT PLAIN=1, {SPACED = a  b} EMPTY= {UNSET} =x LAST=z=");
    assert_string_equal(getenv("KEPT"), "as it was");
    assert_string_equal(getenv("PLAIN"), "1");
    assert_string_equal(getenv("SPACED"), "a  b");
    assert_string_equal(getenv("EMPTY"), "");
    assert_null(getenv("UNSET"));
    assert_string_equal(getenv("LAST"), "z=");
}
