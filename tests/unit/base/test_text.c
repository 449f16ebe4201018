/* SPDX-License-Identifier: MIT */
/* Text that is safe to print, UTF-8, messages; booleans, times and numbers. */
#include "base/text.h"
#include "fixture.h"
#include <limits.h>

#define SPAN(text) text, sizeof(text) - 1

TEST(printable)
{
    static const struct {
        const char *text;
        size_t length;
        const char *expected;
    } cases[] = {
        {SPAN(""), ""},
        {SPAN("plain text"), "plain text"},
        {SPAN("\x1b[2J\a\n\t\x7f"), "\\033[2J\\007\\012\\011\\177"},
        {SPAN("a\0b"), "a\\000b"},
        {SPAN("back\\slash"), "back\\slash"},
        {SPAN("gr\xc3\xbc\xc3\x9f \xe2\x82\xac \xf0\x9f\x93\xac"),
         "gr\xc3\xbc\xc3\x9f \xe2\x82\xac \xf0\x9f\x93\xac"},
        {SPAN("\xc2\x80\xc2\xa0\xc2\xa1"),
         "\\302\\200\\302\\240\xc2\xa1"},                            /* C1, U+00A0, then not */
        {SPAN("\23331m"), "\\23331m"},                               /* C1 as one byte */
        {SPAN("\xff\xfe"), "\\377\\376"},                            /* never in UTF-8 */
        {SPAN("\xc3"), "\\303"},                                     /* cut short */
        {SPAN("\xe2\x82"), "\\342\\202"},                            /* cut short */
        {SPAN("\xe2\x82x"), "\\342\\202x"},                          /* cut short within */
        {SPAN("\xc0\xaf\xe0\x80\xaf"), "\\300\\257\\340\\200\\257"}, /* overlong */
        {SPAN("\xf0\x80\x80\xaf"), "\\360\\200\\200\\257"},          /* overlong */
        {SPAN("\xed\xa0\x80"), "\\355\\240\\200"},                   /* a surrogate */
        {SPAN("\xf4\x90\x80\x80\xf5"), "\\364\\220\\200\\200\\365"}, /* above U+10FFFF */
        {SPAN("\xf4\x8f\xbf\xbf\xed\x9f\xbf"), "\xf4\x8f\xbf\xbf\xed\x9f\xbf"}, /* just below */
        {SPAN("\x80\xbf"), "\\200\\277"}, /* a lone continuation */
        /* what reorders, hides or breaks lines: U+202E, U+200B, U+2028, U+FEFF, U+061C, U+E0041 */
        {SPAN("a\342\200\256b"), "a\\342\\200\\256b"},
        {SPAN("\xe2\x80\x8b\xe2\x80\xa8"), "\\342\\200\\213\\342\\200\\250"},
        {SPAN("\xef\xbb\xbf\xd8\x9c"), "\\357\\273\\277\\330\\234"},
        {SPAN("\xf3\xa0\x81\x81"), "\\363\\240\\201\\201"},
        /* what shows nothing: U+034F, U+115F, U+2800, U+3164, U+FE0F, U+E0100 */
        {SPAN("\xcd\x8f\xe1\x85\x9f"), "\\315\\217\\341\\205\\237"},
        {SPAN("\xe2\xa0\x80\xe3\x85\xa4"), "\\342\\240\\200\\343\\205\\244"},
        {SPAN("\xef\xb8\x8f\xf3\xa0\x84\x80"), "\\357\\270\\217\\363\\240\\204\\200"},
        {SPAN("\xe2\x80\x90\xe2\x80\xa7"), "\xe2\x80\x90\xe2\x80\xa7"}, /* their neighbours */
    };

    for (size_t i = 0; i < COUNT(cases); i++) {
        UT_string out;

        utstring_init(&out);
        (void)text_printable(&out, cases[i].text, cases[i].length, SIZE_MAX);
        assert_string_equal(utstring_body(&out), cases[i].expected);
        utstring_done(&out);
    }
}

/* One letter in three may differ, and a word may be begun only. */
TEST(nearest)
{
    static const struct {
        const char *typed;
        const char *nearest;
    } cases[] = {{"relaod", "reload"},
                 {"reoad", "reload"},
                 {"reloads", "reload"},
                 {"relxad", "reload"},
                 {"rlodax", NULL},
                 {"upgrade", "upgrade-configuration"},
                 {"up", NULL},
                 {"sta", NULL},
                 {"stat", "status"},
                 {"stop", "stop"},
                 {"sotp", "stop"},
                 {"step", "stop"},
                 {"stew", NULL},
                 {"", NULL},
                 {"s", NULL},
                 {"Stop", "stop"},
                 {"stpo", "stop"},
                 {"tls", NULL},
                 {"a-word-of-more-than-forty-letters-that-nobody-types", NULL}};
    UT_array *words = strings_split("start stop status reload upgrade-configuration", " ");

    for (size_t i = 0; i < COUNT(cases); i++) {
        const char *nearest = text_nearest(cases[i].typed, words);

        if ((nearest == NULL) != (cases[i].nearest == NULL) ||
            (nearest != NULL && strcmp(nearest, cases[i].nearest) != 0))
            fail_msg("%s: %s", cases[i].typed, nearest);
    }
    utarray_free(words);
}

TEST(message)
{
    char *text = text_cut(alloc_format("%s %d", "x", 5));

    assert_string_equal(text, "x 5");
    free(text);
    text = text_cut(alloc_format("%*s", TEXT_MESSAGE_MAXIMUM, "x"));
    assert_int_equal(strlen(text), TEXT_MESSAGE_MAXIMUM);
    assert_string_equal(text + TEXT_MESSAGE_MAXIMUM - 1, "x");
    free(text);
    text = text_cut(alloc_format("%*s", TEXT_MESSAGE_MAXIMUM + 1, "x"));
    assert_int_equal(strlen(text), TEXT_MESSAGE_MAXIMUM);
    assert_string_equal(text + TEXT_MESSAGE_MAXIMUM - 4, " ...");
    free(text);
    assert_int_equal(text_quoted(5), 5);
    assert_int_equal(text_quoted(SIZE_MAX), TEXT_MESSAGE_MAXIMUM);
}

TEST(valid_utf8)
{
    UT_string out;

    utstring_init(&out);
    text_append_valid(&out, "a\xc3\xa9\xe2\x82", 5);
    assert_string_equal(utstring_body(&out), "a\xc3\xa9\xef\xbf\xbd\xef\xbf\xbd");
    utstring_done(&out);
}

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
    } cases[] = {{"0", 0},
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
                 {"0x10", BAD}};

    for (size_t i = 0; i < COUNT(cases); i++) {
        int seconds = BAD;
        bool valid = parse_time(cases[i].text, &seconds);

        if (valid != (cases[i].seconds != BAD) || seconds != cases[i].seconds)
            fail_msg("\"%s\": %d, expected %d", cases[i].text, seconds, cases[i].seconds);
    }
}

/* What main.cf may have, our own options and settings may not. */
TEST(number)
{
    static const struct {
        const char *text;
        enum parse_unit unit;
        int64_t least, most, number;
    } cases[] = {{"0", PARSE_NUMBER, 0, 9, 0},
                 {"9", PARSE_NUMBER, 0, 9, 9},
                 {"10", PARSE_NUMBER, 0, 9, BAD},
                 {"0", PARSE_NUMBER, 1, 9, BAD},
                 {"008", PARSE_NUMBER, 0, 9, 8},
                 {"", PARSE_NUMBER, 0, 9, BAD},
                 {" 1", PARSE_NUMBER, 0, 9, BAD},
                 {"1 ", PARSE_NUMBER, 0, 9, BAD},
                 {"+1", PARSE_NUMBER, 0, 9, BAD},
                 {"-1", PARSE_NUMBER, 0, 9, BAD},
                 {"-0", PARSE_NUMBER, 0, 9, BAD},
                 {"1x", PARSE_NUMBER, 0, 9, BAD},
                 {"1s", PARSE_NUMBER, 0, 9, BAD},
                 {"1K", PARSE_NUMBER, 0, 9, BAD},
                 {"2147483647", PARSE_NUMBER, 0, INT_MAX, INT_MAX},
                 {"2147483648", PARSE_NUMBER, 0, INT_MAX, BAD},
                 {"99999999999999999999", PARSE_NUMBER, 0, INT64_MAX, BAD},
                 {"90", PARSE_SECONDS, 1, INT_MAX, 90},
                 {"2h", PARSE_SECONDS, 1, INT_MAX, 7200},
                 {"0s", PARSE_SECONDS, 1, INT_MAX, BAD},
                 {"5sx", PARSE_SECONDS, 1, INT_MAX, BAD},
                 {"5s 3m", PARSE_SECONDS, 1, INT_MAX, BAD},
                 {"1month", PARSE_SECONDS, 1, INT_MAX, BAD},
                 {"500ms", PARSE_SECONDS, 1, INT_MAX, BAD},
                 {"5x", PARSE_SECONDS, 1, INT_MAX, BAD},
                 {"1023", PARSE_BYTES, 0, INT64_MAX, 1023},
                 {"500K", PARSE_BYTES, 0, INT64_MAX, 500 * 1024},
                 {"10M", PARSE_BYTES, 0, INT64_MAX, 10 * 1024 * 1024},
                 {"8589934591G", PARSE_BYTES, 0, INT64_MAX, (int64_t)8589934591 << 30},
                 {"9223372036854775807", PARSE_BYTES, 0, INT64_MAX, INT64_MAX},
                 {"9223372036854775808", PARSE_BYTES, 0, INT64_MAX, BAD},
                 {"8589934592G", PARSE_BYTES, 0, INT64_MAX, BAD},
                 {"M", PARSE_BYTES, 0, INT64_MAX, BAD},
                 {"10MB", PARSE_BYTES, 0, INT64_MAX, BAD},
                 {"10k", PARSE_BYTES, 0, INT64_MAX, BAD},
                 {"1.5M", PARSE_BYTES, 0, INT64_MAX, BAD}};

    for (size_t i = 0; i < COUNT(cases); i++) {
        int64_t number = parse_number(cases[i].text, cases[i].unit, cases[i].least, cases[i].most);

        if (number != cases[i].number)
            fail_msg("\"%s\": %lld", cases[i].text, (long long)number);
    }
}
