/* SPDX-License-Identifier: MIT */
/* Columns of a terminal. */
#include "base/width.h"
#include "fixture.h"

TEST(columns)
{
    static const struct {
        const char *text;
        size_t columns;
    } cases[] = {
        {"", 0},
        {"postfix-in", 10},
        {"\xc3\xa4", 1},                 /* one character of two bytes */
        {"a\xcc\x88", 1},                /* with a combining one */
        {"\xe6\xbc\xa2\xe5\xad\x97", 4}, /* wide ones */
        {"\xf0\x9f\x93\xac", 2},
        {"\\377", 4},
    };

    for (size_t i = 0; i < COUNT(cases); i++)
        assert_int_equal(width_columns(cases[i].text, strlen(cases[i].text)), cases[i].columns);
}

TEST(fit)
{
    static const struct {
        const char *text;
        size_t columns;
        size_t bytes;
    } cases[] = {
        {"abc", 0, 0},
        {"abc", 2, 2},
        {"abc", 3, 3},
        {"abc", 9, 3},
        {"\xc3\xa4\xc3\xa4", 1, 2},
        {"\xe6\xbc\xa2\xe5\xad\x97", 3, 3},
        {"\xff\xff", 1, 1},
    };

    for (size_t i = 0; i < COUNT(cases); i++)
        assert_int_equal(width_fit(cases[i].text, strlen(cases[i].text), cases[i].columns),
                         cases[i].bytes);
}
