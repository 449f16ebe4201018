/* SPDX-License-Identifier: MIT */
/* The built-in settings, and which sections of a file only repeat them. */
#include "fixture.h"
#include "postfix/settings.h"

#define KICK "[kick]\nstrict = no\nconnections = 0\nlimit = 100s\n"

TEST(values)
{
    assert_string_equal(built_in_value("postfix", "trigger_timeout"), "10s");
    assert_string_equal(built_in_value("service tlsmgr", "requests"), "= W");
    assert_null(built_in_value("service tlsmgr", "modifiers"));
    assert_null(built_in_value("nosuch", "class"));
    assert_string_equal(built_in_item(0)->section, "postfix");
    assert_null(built_in_item(10000));
}

/* What is left of the text, without blanks and empty lines. */
TEST(leaving_out)
{
    static const struct {
        const char *text;
        const char *left;
        bool is_nothing;
    } cases[] = {
        {"", "", true},
        {"; comment\n\n  # another", "; comment\n  # another", true},
        {KICK, "", true},
        {"[kick]\n; why\nstrict=no\n\nconnections\t=  0\nlimit = 100s", "", true},
        {" [ KICK ]\nstrict = no\nconnections = 0\nlimit = 100s\n", "", true},
        {KICK "[trust]\nwritable = warn\n", "", true},
        {"[kick]\n", "[kick]", false},
        {"[kick]\nstrict = no\n", "[kick]\nstrict = no", false},
        {"[kick]\nconnections = 0\nstrict = no\nlimit = 100s\n",
         "[kick]\nconnections = 0\nstrict = no\nlimit = 100s", false},
        {KICK "more = 1\n", KICK "more = 1", false},
        {KICK "limit = 100s\n[trust]\nwritable = warn\n", KICK "limit = 100s", false},
        {KICK "[trust]\nwritable = refuse\n", "[trust]\nwritable = refuse", false},
        {KICK "[kick]\nstrict = yes\n", KICK "[kick]\nstrict = yes", false}, /* there twice */
        {KICK " [kick ]\nstrict = yes\n", KICK " [kick ]\nstrict = yes", false},
        {"[kick\nstrict = no\nconnections = 0\nlimit = 100s\n",
         "[kick\nstrict = no\nconnections = 0\nlimit = 100s", false},
        {"x = 1\n" KICK, "x = 1", false},
        {"[other]\n" KICK "[service x]\nclass = public\n", "[other]\n[service x]\nclass = public",
         false},
    };

    for (size_t i = 0; i < COUNT(cases); i++) {
        char *text = alloc_string(cases[i].text), *expected;
        bool is_nothing = built_in_leave_out(text);
        UT_array *lines = strings_split(text, "\n");
        UT_array *left = strings_split(cases[i].left, "\n");

        for (size_t j = utarray_len(lines); j-- > 0;)
            if (strings_item(lines, j)[strspn(strings_item(lines, j), " ")] == '\0')
                utarray_erase(lines, (unsigned)j, 1);
        expected = fixture_lines(left);
        fixture_assert_lines(lines, expected == NULL ? "" : expected);
        assert_int_equal(is_nothing, cases[i].is_nothing);
        free(expected);
        utarray_free(lines);
        utarray_free(left);
        free(text);
    }
}
