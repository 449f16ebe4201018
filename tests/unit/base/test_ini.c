/* iniparser, held to what it promises. */
#include "base/ini.h"
#include "base/strings.h"
#include "fixture.h"

static struct ini *parse(const char *text, const char *expected_errors)
{
    UT_array *errors;

    utarray_new(errors, &strings_icd);
    struct ini *ini = ini_parse("/x/a.ini", text, strlen(text), errors);
    fixture_assert_lines(errors, expected_errors);
    utarray_free(errors);
    return ini;
}

static void test_values(void **state)
{
    (void)state;
    struct ini *ini = parse("; a comment\n"
                            "[Section One]\n"
                            "Key = Value with blanks  \n"
                            "empty =\n"
                            "cut = a ; b\n"
                            "equals = = W\n"
                            "\n"
                            "  [two]  \n"
                            "long = a \\\n"
                            "    b\n"
                            "key = 1\n"
                            "key = 2",
                            "");

    assert_string_equal(ini_value(ini, "section one", "key"), "Value with blanks");
    assert_string_equal(ini_value(ini, "section one", "empty"), "");
    assert_string_equal(ini_value(ini, "section one", "cut"), "a");
    assert_string_equal(ini_value(ini, "section one", "equals"), "= W");
    assert_string_equal(ini_value(ini, "two", "key"), "2");
    assert_null(ini_value(ini, "two", "none"));
    assert_null(ini_value(ini, "three", "key"));
    assert_true(ini_has_section(ini, "two"));
    assert_false(ini_has_section(ini, "three"));
    ini_free(ini);
    ini_free(NULL);
}

static void collect(void *context, const char *section, const char *key, const char *value)
{
    strings_append(context, "[%s] %s=%s", section, key == NULL ? "-" : key,
                   value == NULL ? "-" : value);
}

static void test_visit(void **state)
{
    (void)state;
    UT_array *seen;
    struct ini *ini = parse("stray = 0\n[b]\nx = 1\n[a]\n[c]\ny =\n", "");

    utarray_new(seen, &strings_icd);
    ini_visit(ini, collect, seen);
    fixture_assert_lines(seen, "[] stray=0\n[b] -=-\n[b] x=1\n[a] -=-\n[c] -=-\n[c] y=\n");
    utarray_free(seen);
    ini_free(ini);
}

static void test_many(void **state)
{
    (void)state;
    UT_string text;
    char section[32], value[32];

    utstring_init(&text);
    for (int i = 0; i < 1000; i++)
        utstring_printf(&text, "[section %d]\nkey = value %d\n", i, i);
    struct ini *ini = parse(utstring_body(&text), "");
    for (int i = 0; i < 1000; i++) {
        (void)snprintf(section, sizeof(section), "section %d", i);
        (void)snprintf(value, sizeof(value), "value %d", i);
        assert_string_equal(ini_value(ini, section, "key"), value);
    }
    ini_free(ini);
    utstring_done(&text);
}

static void test_every_mistake(void **state)
{
    (void)state;
    assert_null(parse("[a]\nx = 1\nnonsense\n[b\n= 5\n",
                      "/x/a.ini, line 3: not a section, a setting or a comment\n"
                      "/x/a.ini, line 4: not a section, a setting or a comment\n"
                      "/x/a.ini, line 5: not a section, a setting or a comment\n"));
}

static void test_the_last_line_counts_too(void **state)
{
    (void)state;
    assert_null(parse("[a]\nx", "/x/a.ini, line 2: not a section, a setting or a comment\n"));
    assert_null(parse("[a]\nxyz", "/x/a.ini, line 2: not a section, a setting or a comment\n"));
}

static void test_long_lines(void **state)
{
    (void)state;
    char text[4096] = "[a]\n";

    memset(text + 4, 'x', 2000);
    text[5] = '=';
    strcpy(text + 2004, "\n[b]\ny = 1\n");
    assert_null(parse(text, "/x/a.ini, line 2: line too long\n"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_values),
        cmocka_unit_test(test_visit),
        cmocka_unit_test(test_many),
        cmocka_unit_test(test_every_mistake),
        cmocka_unit_test(test_the_last_line_counts_too),
        cmocka_unit_test(test_long_lines),
    };

    return cmocka_run_group_tests_name("ini", tests, NULL, NULL);
}
