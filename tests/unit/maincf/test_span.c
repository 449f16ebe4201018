/* SPDX-License-Identifier: MIT */
/* What is taken from the start of a text. */
#include "fixture.h"
#include "maincf/expand.h"

static struct span span_of(const char *text)
{
    return (struct span){text, text + strlen(text)};
}

TEST(takes)
{
    static const struct {
        struct span (*take)(struct span *);
        const char *text;
        int length;
    } cases[] = {
        {span_take_blanks, " \t\r\n\vx", 4},
        {span_take_blanks, "x", 0},
        {span_take_blanks, "", 0},
        {span_take_name, "aZ09_-", 5},
        {span_take_name, "\xc3\xa9", 0},
        {span_take_name, "a", 1},
        {span_take_alphanumerics, "aZ09_", 4},
        {span_take_alphanumerics, "{", 0},
    };

    for (size_t i = 0; i < COUNT(cases); i++) {
        struct span rest = span_of(cases[i].text);
        struct span taken = cases[i].take(&rest);

        assert_ptr_equal(taken.at, cases[i].text);
        assert_int_equal(span_length(taken), cases[i].length);
        assert_ptr_equal(rest.at, taken.end);
        assert_int_equal(span_is_empty(rest), cases[i].text[cases[i].length] == '\0');
    }
}

TEST(ends_where_the_span_ends)
{
    const char *text = "abc";
    struct span rest = {text, text + 2}, empty = {text, text};

    assert_int_equal(span_length(span_take_name(&rest)), 2);
    assert_false(span_starts_with(empty, 'a'));
    assert_true(span_starts_with(span_of(text), 'a'));
}

TEST(finds_where_it_closes)
{
    static const struct {
        const char *text;
        int at; /* or -1 */
    } cases[] = {
        {"{}", 1}, {"{a}b}", 2}, {"{a{b}c}", 6}, {"{(}", 2}, {"(a{)}", 3}, {"{", -1}, {"{{}", -1},
    };

    for (size_t i = 0; i < COUNT(cases); i++) {
        const char *close = span_find_close(span_of(cases[i].text));

        assert_int_equal(close == NULL ? -1 : close - cases[i].text, cases[i].at);
    }
}
