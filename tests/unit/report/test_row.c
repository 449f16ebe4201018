/* SPDX-License-Identifier: MIT */
/* The strings of rows. The columns are tested with the listing. */
#include "fixture.h"
#include "report/row.h"

static void assert_text(UT_string *out, const char *expected)
{
    assert_string_equal(utstring_body(out), expected);
    utstring_clear(out);
}

TEST(strings)
{
    static const struct {
        const char *bytes;
        size_t length;
        const char *expected;
    } cases[] = {
        {"", 0, "\"\""},
        {"a\"b\\\n\x01", 6, "\"a\\\"b\\\\\\n\\u0001\""},
        {"a\0b", 3, "\"a\\u0000b\""},
        {"\xc3\xa4", 2, "\"\\u00E4\""},
        {"\xf0\x9f\x93\xac", 4, "\"\\uD83D\\uDCEC\""},
        {"\xff", 1, "\"\\uFFFD\""},
        {"\xe2\x82", 2, "\"\\uFFFD\\uFFFD\""},
        {"\xed\xa0\x80", 3, "\"\\uFFFD\\uFFFD\\uFFFD\""},
    };

    UT_string out;

    utstring_init(&out);
    for (size_t i = 0; i < COUNT(cases); i++) {
        json_t *row = json_object();
        char *expected = alloc_format("{\"x\": %s}\n", cases[i].expected);

        report_row_add_bytes(row, "x", cases[i].bytes, cases[i].length);
        report_row_finish(row, &out);
        assert_text(&out, expected);
        free(expected);
    }
    utstring_done(&out);
}
