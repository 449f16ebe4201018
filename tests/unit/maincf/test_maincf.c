/* SPDX-License-Identifier: MIT */
/* main.cf syntax: logical lines, settings, messages. Expected texts are what Postfix 3.7 says. */
#include "base/text.h"
#include "fixture.h"
#include "maincf/maincf.h"

#define PATH "/x/main.cf"

/* What was read last. */
static struct maincf *maincf;
static UT_array *warnings;
static char *read_text, *error;

TEARDOWN(forget)
{
    maincf_free(maincf);
    if (warnings != NULL)
        utarray_free(warnings);
    free(read_text);
    free(error);
    maincf = NULL;
    warnings = NULL;
    read_text = error = NULL;
}

static void parse(const char *text)
{
    forget();
    read_text = alloc_string(text);
    maincf = maincf_parse(PATH, "/x", read_text, strlen(text), &warnings, &error);
}

static const char *value(const char *name)
{
    return maincf_value(maincf, name, strlen(name));
}

/* The value of "a" after reading text; NULL when it is not set. */
static const struct {
    const char *text;
    const char *value;
} values[] = {
    /* settings */
    {"a = b\n", "b"},
    {"a=b\n", "b"},
    {"a = b", "b"},
    {"a\t=\tb\t\n", "b"},
    {"a\v=\f b \v\f\r\n", "b"},
    {"a = b c\n", "b c"},
    {"a == b=c\n", "= b=c"},
    {"a =\n", ""},
    {"a = \n\n", ""},
    {"a = \"b\" # c\n", "\"b\" # c"},
    {"a = #b\n", "#b"},
    {"a = \\\nb = c\n", "\\"},
    {"a = \x85\xa0z\xa0\n", "\x85\xa0z\xa0"},
    {"a = \x01\x7f\n", "\x01\x7f"},
    {"a = b\r\n", "b"},
    {"a = b\nc = d\n", "b"},
    {"a = b\na = c\n", "c"},
    {"a = b\na =\n", ""},
    {"A = b\n", NULL},
    {"aa = b\n", NULL},
    {"\xa0"
     "a = b\n",
     NULL},
    {"", NULL},
    {"\n\n", NULL},
    {" ", NULL},
    {"#", NULL},
    /* continuation lines */
    {"a = b\n c\n", "b c"},
    {"a = b\n  c", "b  c"},
    {"a =\n b\n", "b"},
    {"a\n = b\n", "b"},
    {"a = b  \n\tc  \n", "b  \tc"},
    {"a = b\r\n c\r\n", "b\r c"},
    {"a = b\n\vc\n\fd\n", "b\vc\fd"},
    {"a = b\n\xa0 = c\n", "b"},
    {"a = b\n# x\n c\n", "b c"},
    {"a = b\n  # x\n c\n", "b c"},
    {"a = b\n\n c\n", "b c"},
    {"a = b\n \t\r\n c\n", "b c"},
    {"a = b\n# x\n\n\r\n   # y\n c\n # z\n d\n", "b c d"},
    {"a = b\n c # d\n", "b c # d"},
    {"a = b\n c = d\n", "b c = d"},
    {"# a = x\n# b\na = b\n", "b"},
    {"a = b\n#\nc = d\n", "b"},
    /* nothing to continue */
    {" a = b\n", NULL},
    {" a = b\n c = d\na = e\n", "e"},
    {"  # x\n a = b\n", NULL},
};

TEST(values)
{
    for (size_t i = 0; i < COUNT(values); i++) {
        parse(values[i].text);
        const char *got = value("a");

        assert_null(error);
        assert_int_equal(got == NULL, values[i].value == NULL);
        if (got != NULL)
            assert_string_equal(got, values[i].value);
    }
}

static const struct {
    const char *text;
    const char *error;
} mistakes[] = {
    {"foo bar\n", "line 1: missing '=' after attribute name: \"foo bar\""},
    {"a = b\nfoo", "line 2: missing '=' after attribute name: \"foo\""},
    {"foo bar = x\n", "line 1: missing '=' after attribute name: \"foo bar = x\""},
    {"foo\r\n", "line 1: missing '=' after attribute name: \"foo\r\""},
    {"\xa0 a = b\n", "line 1: missing '=' after attribute name: \"\xa0 a = b\""},
    {"a=b\n#c\nfoo\n#\n b\n\n c\nd=e\n", "line 3: missing '=' after attribute name: \"foo b c\""},
    {"a=b\nfoo bar\n baz\n\n#x\n b = c",
     "line 2: missing '=' after attribute name: \"foo bar baz b = c\""},
    {"= x\n", "line 1: missing attribute name: \"= x\""},
    {"\n\n= \n", "line 3: missing attribute name: \"= \""},
    {"=\n", "line 1: missing attribute name: \"=\""},
};

TEST(errors)
{
    for (size_t i = 0; i < COUNT(mistakes); i++) {
        parse(mistakes[i].text);
        fixture_assert_text(error, PATH ", %s", mistakes[i].error);
    }
}

/* Whatever stands before and after an error is set; and what was set before the first line. */
TEST(other_settings)
{
    parse("a = b\nfoo\nc = d\n");
    assert_non_null(error);
    assert_string_equal(value("a"), "b");
    assert_string_equal(value("c"), "d");
    assert_string_equal(value("config_directory"), "/x");
    assert_null(maincf_value(maincf, "a", 0));
    assert_string_equal(maincf_value(maincf, "abc", 1), "b");
}

static const struct {
    const char *text;
    const char *lines;
} warned[] = {
    {"a = b\na = b\n", ""},
    {"a = b\na = b \n a = c\n", PATH ", line 2: overriding earlier entry: a=b\n"},
    {"a = b\n\na =\n c\na = \n", PATH ", line 3: overriding earlier entry: a=b\n" PATH
                                      ", line 5: overriding earlier entry: a=c\n"},
    {"config_directory = /x\n", ""},
    {"config_directory = /y\n", PATH ", line 1: overriding earlier entry: config_directory=/x\n"},
    {" a = b\n# x\n c\n", PATH ": logical line must not start with whitespace: \" a = b c\"\n"},
    {"\ta\n", PATH ": logical line must not start with whitespace: \"\ta\"\n"},
    {" 23456789 123456789 123456789 \nb = c\n",
     PATH ": logical line must not start with whitespace: \" 23456789 123456789 123456789 \"\n"},
    {" 23456789 123456789 123456789 1\nb = c\n",
     PATH ": logical line must not start with whitespace: \" 23456789 123456789 123456789 ...\"\n"},
};

TEST(warnings)
{
    for (size_t i = 0; i < COUNT(warned); i++) {
        parse(warned[i].text);
        assert_null(error);
        fixture_assert_lines(warnings, warned[i].lines);
    }
}

TEST(many_warnings_are_cut)
{
    UT_string text;

    utstring_init(&text);
    for (int i = 0; i < 3000; i++)
        utstring_printf(&text, "a = %d\n", i);
    parse(utstring_body(&text));
    assert_null(error);
    assert_int_equal(utarray_len(warnings), 101);
    assert_string_equal(strings_item(warnings, 100), PATH ": further warnings are not shown");
    assert_string_equal(value("a"), "2999");
    utstring_done(&text);
}

/* Names that are as many as they can be, and a long one. */
TEST(many_and_long)
{
    enum { COUNT = 16382 }; /* with config_directory and the long one */
    UT_string text;
    char *name = fixture_repeat("x", 100000);

    utstring_init(&text);
    for (int i = 0; i < COUNT; i++)
        utstring_printf(&text, "n%d = v%d\n", i, i);
    utstring_printf(&text, "%s = %s\n %s\n", name, name, name);
    parse(utstring_body(&text));
    assert_null(error);
    assert_string_equal(value("n0"), "v0");
    assert_string_equal(value("n16381"), "v16381");
    assert_int_equal(strlen(value(name)), 200001);
    utstring_printf(&text, "n0 = again\nn = \n");
    parse(utstring_body(&text));
    assert_string_equal(error, PATH ", line 16386: more than 16384 parameters");
    assert_string_equal(value("n0"), "again");
    free(name);
    utstring_done(&text);
}

/* Comments are skipped many bytes at a time: no line between them is, wherever it is. */
TEST(between_comments)
{
    enum { LENGTH = 600 };

    for (size_t each = 1; each < 10; each++) {
        for (size_t before = each; before < LENGTH / 2; before += each) {
            char text[LENGTH + 1] = "";

            for (size_t i = 0; i < LENGTH; i++)
                text[i] = (i + 1) % each == 0 ? '\n' : '#';
            text[before] = 'a';
            text[before + 1] = '\n';
            parse(text);
            fixture_assert_text(error, PATH ", line %zu: missing '=' after attribute name: \"a\"",
                                before / each + 1);
        }
    }
}

TEST(long_messages_are_cut)
{
    char *value_text = fixture_repeat("x", 1000000);
    char *text = alloc_format("a = %s\na =\nb", value_text);

    parse(text);
    const char *warning = strings_item(warnings, 0);
    assert_int_equal(strlen(warning), TEXT_MESSAGE_MAXIMUM);
    assert_string_equal(warning + TEXT_MESSAGE_MAXIMUM - 4, "x...");
    parse(value_text);
    assert_int_equal(strlen(error), TEXT_MESSAGE_MAXIMUM);
    assert_string_equal(error + TEXT_MESSAGE_MAXIMUM - 4, "x...");
    free(value_text);
    free(text);
}
