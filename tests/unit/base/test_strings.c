/* SPDX-License-Identifier: MIT */
/* Lists of strings: who owns them, how they are split and searched. */
#include "base/alloc.h"
#include "base/text.h"
#include "fixture.h"

TEST(arrays_own_their_strings)
{
    UT_array *strings;
    char text[] = "first", *element = text, *none = NULL;

    utarray_new(strings, &strings_icd);
    utarray_push_back(strings, &element);
    text[0] = 'F';
    strings_append(strings, "%d", 2);
    utarray_push_back(strings, &none);
    assert_int_equal(utarray_len(strings), 3);
    assert_string_equal(strings_item(strings, 0), "first");
    assert_string_equal(strings_item(strings, 1), "2");
    assert_null(strings_item(strings, 2));
    utarray_free(strings);
}

TEST(split)
{
    static const struct {
        const char *list;
        const char *separators;
        const char *expected;
    } cases[] = {
        {"", STRINGS_SEPARATORS, ""},
        {", \t\r\n,", STRINGS_SEPARATORS, ""},
        {"a", STRINGS_SEPARATORS, "a\n"},
        {"/a, /b\t/c\r\n/d,,/e,", STRINGS_SEPARATORS, "/a\n/b\n/c\n/d\n/e\n"},
        {"a\vb\fc d", STRINGS_SEPARATORS, "a\vb\fc\nd\n"},
        {"a\vb\fc d", TEXT_WHITE_SPACE, "a\nb\nc\nd\n"},
        {"a b,c d", ",", "a b\nc d\n"},
    };

    for (size_t i = 0; i < COUNT(cases); i++) {
        UT_array *elements = strings_split(cases[i].list, cases[i].separators);

        fixture_assert_lines(elements, cases[i].expected);
        utarray_free(elements);
    }
}

TEST(contains)
{
    UT_array *strings = strings_split("a,bb", ",");

    assert_true(strings_contain(strings, "a"));
    assert_true(strings_contain(strings, "bb"));
    assert_false(strings_contain(strings, "b"));
    assert_false(strings_contain(strings, ""));
    assert_false(strings_contain(strings, "A"));
    utarray_free(strings);
}
