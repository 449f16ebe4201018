/* SPDX-License-Identifier: MIT */
/* The table of options, and the text of --help. */
#include "command/options.h"
#include "fixture.h"

TEST(each_option_once)
{
    for (size_t i = 0; i < USAGE_OPTIONS; i++)
        for (size_t j = 0; j < i; j++) {
            assert_int_not_equal(usage_options[i].letter, usage_options[j].letter);
            assert_string_not_equal(usage_options[i].name, usage_options[j].name);
        }
    assert_true(usage_is_letterless('h') && usage_is_letterless('V'));
    assert_false(usage_is_letterless('l'));
}

/* Every option but -e, once, in lines of a terminal's width. */
TEST(help)
{
    UT_string text;
    size_t rows = 0;

    utstring_init(&text);
    usage_append_help(&text);
    UT_array *lines = strings_split(utstring_body(&text), "\n");
    for (size_t i = 0; i < utarray_len(lines); i++) {
        assert_true(strlen(strings_item(lines, i)) <= 80);
        rows += strncmp(strings_item(lines, i), "  -", 3) == 0 ||
                strncmp(strings_item(lines, i), "      --", 8) == 0;
    }
    assert_int_equal(rows, USAGE_OPTIONS - 1);
    assert_null(strstr(utstring_body(&text), "--edit"));
    assert_non_null(strstr(utstring_body(&text), "\n  -P, --parallel JOBS         run up to JOBS "
                                                 "commands at once\n"));
    utarray_free(lines);
    utstring_done(&text);
}
