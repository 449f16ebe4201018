/* SPDX-License-Identifier: MIT */
/* Booleans, times and numbers. */
#include "base/parse.h"
#include "fixture.h"
#include <limits.h>

#define BAD (-1)

TEST(bool)
{
    assert_int_equal(parse_bool("yes"), PARSE_YES);
    assert_int_equal(parse_bool("YeS"), PARSE_YES);
    assert_int_equal(parse_bool("no"), PARSE_NO);
    assert_int_equal(parse_bool("NO"), PARSE_NO);
    static const char *const neither[] = {"", "y", "true", "1", " yes", "yes ", "yes,no", "noo"};
    for (size_t i = 0; i < COUNT(neither); i++)
        assert_int_equal(parse_bool(neither[i]), PARSE_BOOL_ERROR);
}

TEST(time)
{
    static const struct {
        const char *text;
        int seconds;
    } cases[] = {
        {"0", 0},
        {"1", 1},
        {"90", 90},
        {"90s", 90},
        {"2m", 120},
        {"3h", 3 * 3600},
        {"1d", 86400},
        {"2w", 2 * 7 * 86400},
        {"007", 7},
        {" \t5", 5},
        {"5sx", 5},
        {"5s 3m", 5},
        {"+5", 5},
        {"1month", 60},
        {"5x", BAD},
        {"5S", BAD},
        {"5 s", BAD},
        {"5.5s", BAD},
        {"", BAD},
        {"s", BAD},
        {" ", BAD},
        {"-1", BAD},
        {"-0", 0},
        {"2147483647", INT_MAX},
        {"2147483648", BAD},
        {"35791394m", 35791394 * 60},
        {"35791395m", BAD},
        {"3550w", 3550 * 7 * 86400},
        {"3551w", BAD},
        {"99999999999999999999", BAD},
        {"0x10", BAD},
    };

    for (size_t i = 0; i < COUNT(cases); i++) {
        int seconds = BAD;
        bool valid = parse_time(cases[i].text, &seconds);

        if (valid != (cases[i].seconds != BAD) || seconds != cases[i].seconds)
            fail_msg("\"%s\": %d, expected %d", cases[i].text, seconds, cases[i].seconds);
    }
}

/* What main.cf may have and our own options and settings may not. */
TEST(strict_time)
{
    static const char *const lenient[] = {" \t5",  "+5",     "-0",  "5sx",
                                          "5s 3m", "1month", "5ms", "500ms"};
    int seconds = BAD;

    for (size_t i = 0; i < COUNT(lenient); i++)
        if (parse_strict_time(lenient[i], &seconds) || seconds != BAD)
            fail_msg("\"%s\": %d", lenient[i], seconds);
    assert_false(parse_strict_time("", &seconds));
    assert_false(parse_strict_time("5x", &seconds));
    assert_false(parse_strict_time("3551w", &seconds));
    assert_true(parse_strict_time("90", &seconds));
    assert_int_equal(seconds, 90);
    assert_true(parse_strict_time("2h", &seconds));
    assert_int_equal(seconds, 7200);
}

TEST(number)
{
    static const struct {
        const char *text;
        int least, most, number;
    } cases[] = {
        {"0", 0, 9, 0},
        {"9", 0, 9, 9},
        {"10", 0, 9, BAD},
        {"0", 1, 9, BAD},
        {"008", 0, 9, 8},
        {"", 0, 9, BAD},
        {" 1", 0, 9, BAD},
        {"1 ", 0, 9, BAD},
        {"+1", 0, 9, BAD},
        {"-1", 0, 9, BAD},
        {"1x", 0, 9, BAD},
        {"2147483647", 0, INT_MAX, INT_MAX},
        {"2147483648", 0, INT_MAX, BAD},
        {"99999999999999999999", 0, INT_MAX, BAD},
    };

    for (size_t i = 0; i < COUNT(cases); i++) {
        int number = BAD;
        bool valid = parse_number(cases[i].text, cases[i].least, cases[i].most, &number);

        if (valid != (cases[i].number != BAD) || number != cases[i].number)
            fail_msg("\"%s\": %d, expected %d", cases[i].text, number, cases[i].number);
    }
}

TEST(sizes)
{
    static const struct {
        const char *text;
        int64_t bytes; /* -1: it is none */
    } cases[] = {
        {"0", 0},
        {"1023", 1023},
        {"500K", 500 * 1024},
        {"10M", 10 * 1024 * 1024},
        {"8589934591G", (int64_t)8589934591 << 30},
        {"9223372036854775807", INT64_MAX},
        {"9223372036854775808", -1},
        {"8589934592G", -1},
        {"", -1},
        {"M", -1},
        {"10MB", -1},
        {"10k", -1},
        {"1.5M", -1},
        {"-1", -1},
        {" 1", -1},
    };

    for (size_t i = 0; i < COUNT(cases); i++) {
        int64_t bytes = -1;

        if (parse_size(cases[i].text, &bytes) != (cases[i].bytes >= 0) || bytes != cases[i].bytes)
            fail_msg("%s", cases[i].text);
    }
}
