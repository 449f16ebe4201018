/* SPDX-License-Identifier: MIT */
/* main.cf syntax: logical lines, settings, messages. Expected texts are what Postfix 3.7 says. */
#include "base/text.h"
#include "fixture.h"
#include "maincf/maincf.h"

#define PATH "/x/main.cf"

struct parsed {
    struct maincf *maincf;
    UT_array *warnings;
    char *text;
    char *error;
};

static struct parsed parse(const char *text)
{
    struct parsed parsed = {.text = alloc_string(text)};

    parsed.maincf =
        maincf_parse(PATH, "/x", parsed.text, strlen(text), &parsed.warnings, &parsed.error);
    return parsed;
}

static void discard(struct parsed *parsed)
{
    maincf_free(parsed->maincf);
    if (parsed->warnings != NULL)
        utarray_free(parsed->warnings);
    free(parsed->text);
    free(parsed->error);
}

static const char *value(const struct parsed *parsed, const char *name)
{
    return maincf_value(parsed->maincf, name, strlen(name));
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
        struct parsed parsed = parse(values[i].text);
        const char *got = value(&parsed, "a");

        assert_null(parsed.error);
        assert_int_equal(got == NULL, values[i].value == NULL);
        if (got != NULL)
            assert_string_equal(got, values[i].value);
        discard(&parsed);
    }
}

static const struct {
    const char *text;
    const char *error;
} errors[] = {
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
    for (size_t i = 0; i < COUNT(errors); i++) {
        struct parsed parsed = parse(errors[i].text);
        char *expected = alloc_format("%s, %s", PATH, errors[i].error);

        assert_non_null(parsed.error);
        assert_string_equal(parsed.error, expected);
        free(expected);
        discard(&parsed);
    }
}

TEST(error_keeps_what_stands_around_it)
{
    struct parsed parsed = parse("a = b\nfoo\nc = d\n");

    assert_non_null(parsed.error);
    assert_string_equal(value(&parsed, "a"), "b");
    assert_string_equal(value(&parsed, "c"), "d");
    discard(&parsed);
}

/* Up to three warnings. */
static const struct {
    const char *text;
    const char *warnings[3];
} warned[] = {
    {"a = b\na = b\n", {NULL}},
    {"a = b\na = b \n a = c\n", {PATH ", line 2: overriding earlier entry: a=b"}},
    {"a = b\n\na =\n c\na = \n",
     {PATH ", line 3: overriding earlier entry: a=b",
      PATH ", line 5: overriding earlier entry: a=c"}},
    {"config_directory = /x\n", {NULL}},
    {"config_directory = /y\n", {PATH ", line 1: overriding earlier entry: config_directory=/x"}},
    {" a = b\n# x\n c\n", {PATH ": logical line must not start with whitespace: \" a = b c\""}},
    {"\ta\n", {PATH ": logical line must not start with whitespace: \"\ta\""}},
    {" 23456789 123456789 123456789 \nb = c\n",
     {PATH ": logical line must not start with whitespace: \" 23456789 123456789 123456789 \""}},
    {" 23456789 123456789 123456789 1\nb = c\n",
     {PATH ": logical line must not start with whitespace: \" 23456789 123456789 123456789 ...\""}},
};

TEST(warnings)
{
    for (size_t i = 0; i < COUNT(warned); i++) {
        struct parsed parsed = parse(warned[i].text);
        const UT_array *warnings = parsed.warnings;
        size_t count = warnings == NULL ? 0 : utarray_len(warnings);

        assert_null(parsed.error);
        for (size_t n = 0; n < 3; n++) {
            assert_int_equal(warned[i].warnings[n] != NULL, n < count);
            if (n < count)
                assert_string_equal(strings_item(warnings, n), warned[i].warnings[n]);
        }
        discard(&parsed);
    }
}

TEST(preset)
{
    struct parsed parsed = parse("a = b\n");

    assert_string_equal(value(&parsed, "config_directory"), "/x");
    assert_null(maincf_value(parsed.maincf, "a", 0));
    assert_string_equal(maincf_value(parsed.maincf, "abc", 1), "b");
    discard(&parsed);
}

TEST(many_warnings_are_cut)
{
    UT_string text;

    utstring_init(&text);
    for (int i = 0; i < 3000; i++)
        utstring_printf(&text, "a = %d\n", i);
    struct parsed parsed = parse(utstring_body(&text));
    const UT_array *warnings = parsed.warnings;
    assert_null(parsed.error);
    assert_int_equal(utarray_len(warnings), 101);
    assert_string_equal(strings_item(warnings, 100), PATH ": further warnings are not shown");
    assert_string_equal(value(&parsed, "a"), "2999");
    discard(&parsed);
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
    struct parsed parsed = parse(utstring_body(&text));
    assert_null(parsed.error);
    assert_string_equal(value(&parsed, "n0"), "v0");
    assert_string_equal(value(&parsed, "n16381"), "v16381");
    assert_int_equal(strlen(value(&parsed, name)), 200001);
    discard(&parsed);
    utstring_printf(&text, "n0 = again\nn = \n");
    parsed = parse(utstring_body(&text));
    assert_non_null(parsed.error);
    assert_string_equal(parsed.error, PATH ", line 16386: more than 16384 parameters");
    assert_string_equal(value(&parsed, "n0"), "again");
    discard(&parsed);
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
            struct parsed parsed = parse(text);
            fixture_assert_text(parsed.error,
                                PATH ", line %zu: missing '=' after attribute name: \"a\"",
                                before / each + 1);
            discard(&parsed);
        }
    }
}

TEST(long_messages_are_cut)
{
    char *value_text = fixture_repeat("x", 1000000),
         *text = alloc_format("a = %s\na =\nb", value_text);
    struct parsed parsed = parse(text);
    const char *warning = strings_item(parsed.warnings, 0);

    assert_non_null(parsed.error);
    assert_int_equal(strlen(warning), TEXT_MESSAGE_MAXIMUM);
    assert_string_equal(warning + TEXT_MESSAGE_MAXIMUM - 4, "x...");
    discard(&parsed);
    parsed = parse(value_text);
    assert_int_equal(strlen(parsed.error), TEXT_MESSAGE_MAXIMUM);
    assert_string_equal(parsed.error + TEXT_MESSAGE_MAXIMUM - 4, "x...");
    discard(&parsed);
    free(value_text);
    free(text);
}
