/* SPDX-License-Identifier: MIT */
/* Lines about an instance, tables, the strings of JSON objects, and the line of progress. */
#include "base/diag.h"
#include "instances.h"
#include "report/row.h"

static void assert_text(UT_string *out, const char *expected)
{
    assert_string_equal(utstring_body(out), expected);
    utstring_clear(out);
}

static void report_error(void)
{
    row_diag_error(&selection, &instances[1]);
}

TEST(error)
{
    fixture_assert_errors(report_error, "postkick: warning: /etc/b\\033: note\n"
                                        "postkick: warning: /etc/b\\033: it is\\012broken\n");
    selection.is_single = true;
    fixture_assert_errors(report_error, "postkick: warning: note\n"
                                        "postkick: fatal: it is\\012broken\n");
}

/* As wide as the widest cell, in characters; no blanks at the end of lines. */
TEST(table)
{
    static const struct row_column columns[] = {
        {.title = "NAME"}, {.title = "COUNT", .is_number = true}, {.title = "WHERE"}};
    static const char *const texts[] = {"a", "1", "/x", "\xc3\xa4\xc3\xb6", "123456", "/\x1b"};
    UT_array *cells;
    UT_string out;

    utarray_new(cells, &strings_icd);
    utstring_init(&out);
    row_append_table(&out, columns, COUNT(columns), cells, true);
    assert_text(&out, "NAME  COUNT  WHERE\n");
    for (size_t i = 0; i < COUNT(texts); i++)
        row_add_cell(cells, "%s", texts[i]);
    row_append_table(&out, columns, COUNT(columns), cells, true);
    assert_text(&out, "NAME   COUNT  WHERE\n"
                      "a          1  /x\n"
                      "\xc3\xa4\xc3\xb6    123456  /\\033\n");
    row_append_table(&out, columns, COUNT(columns), cells, false);
    assert_text(&out, "a        1  /x\n"
                      "\xc3\xa4\xc3\xb6  123456  /\\033\n");
    utarray_free(cells);
    utstring_done(&out);
}

/* The members of all rows, and one more. */
TEST(sizes_and_ages)
{
    static const struct {
        int64_t bytes, seconds;
        const char *cells;
    } cases[] = {
        {0, 0, "0\n0s\n"},
        {1023, 59, "1023\n59s\n"},
        {1024, 60, "1.0K\n1m\n"},
        {1048524, 61, "1023.9K\n1m1s\n"},
        {1048525, 3599, "1.0M\n59m59s\n"},
        {1048576, 3600, "1.0M\n1h\n"},
        {1600000000, 3660, "1.5G\n1h1m\n"},
        {INT64_MAX, 86399, "8.0E\n23h59m\n"},
        {1, 86400, "1\n1d\n"},
        {1, 1699999999, "1\n19675d22h\n"},
        {1, -5, "1\n0s\n"}, /* the clock was set back */
    };
    UT_array *cells;

    utarray_new(cells, &strings_icd);
    for (size_t i = 0; i < COUNT(cases); i++) {
        utarray_clear(cells);
        row_add_bytes(cells, cases[i].bytes);
        row_add_age(cells, cases[i].seconds);
        fixture_assert_lines(cells, cases[i].cells);
    }
    utarray_free(cells);
}

TEST(object)
{
    UT_string out;

    utstring_init(&out);
    instances[0].running = MASTER_RUNNING;
    instances[1].running = MASTER_STOPPED;
    instances[0].identity = INSTANCE_EXACT;
    instances[1].identity = INSTANCE_LENIENT;
    utarray_new(instances[0].conflicts, &strings_icd);
    strings_append(instances[0].conflicts, "a b");
    strings_append(instances[0].conflicts, "c");
    for (size_t i = 0; i < COUNT(instances); i++) {
        json_t *row = row_new(&instances[i]);

        row_add_text(row, "x", NULL);
        row_finish(row, &out);
    }
    assert_text(
        &out,
        "{\"name\": \"postfix-a\", \"group\": \"-\", \"enabled\": \"y\", \"config_directory\": "
        "\"/etc/a\", \"queue_directory\": \"\", \"data_directory\": \"\", \"running\": \"y\", "
        "\"identity\": \"exact\", \"conflicts\": [\"a b\", \"c\"], \"x\": \"\"}\n"
        "{\"name\": \"-\", \"group\": \"-\", \"enabled\": \"-\", \"config_directory\": "
        "\"/etc/b\\u001B\", \"queue_directory\": \"\", \"data_directory\": \"\", \"running\": "
        "\"n\", \"identity\": \"lenient\", \"conflicts\": [], \"x\": \"\"}\n");
    utstring_done(&out);
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
        {"\177b\177", 3, "\"\\u007fb\\u007f\""},
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

        row_add(row, "x", row_string(cases[i].bytes, cases[i].length));
        row_finish(row, &out);
        assert_text(&out, expected);
        free(expected);
    }
    utstring_done(&out);
}

#define MANY "/etc/\xc3\xa4"

/* Lines of progress, one second after the start. */
static const struct {
    size_t count;
    struct {
        bool is_done;
        const char *name;
        int64_t end;
    } kicks[3]; /* and more like the last one */
    const char *line;
} lines[] = {
    {3,
     {{true, NULL, 0},
      {false, "/etc/a", 3 * CLOCK_SECOND},
      {false, "/etc/b\x1b", 5 * CLOCK_SECOND - 1}},
     "\r\033[K1 of 3 done, 4 s left, waiting for /etc/a /etc/b\\033\r\033[K"},
    {2,
     {{false, "/etc/a", CLOCK_NEVER}, {false, NULL, 0}},
     "\r\033[K0 of 2 done, waiting for /etc/a\r\033[K"},
    {1, {{true, NULL, 0}}, ""},
    /* 79 columns where there is no terminal, and no half of a character */
    {1000,
     {{false, MANY, 0}, {false, MANY, 0}, {false, MANY, 0}},
     "\r\033[K0 of 1000 done, 0 s left, waiting for " MANY " " MANY " " MANY " " MANY " " MANY
     " /et...\r\033[K"},
};

static size_t shown;

static void show(void)
{
    struct progress progress = {0};

    for (size_t i = 0; i < lines[shown].count; i++) {
        size_t at = i < 2 ? i : 2;

        progress_add(&progress, lines[shown].kicks[at].is_done, lines[shown].kicks[at].name,
                     lines[shown].kicks[at].end);
    }
    progress_show(&progress, CLOCK_SECOND);
    diag_progress("", 0);
}

TEST(progress)
{
    for (shown = 0; shown < COUNT(lines); shown++)
        fixture_assert_errors(show, lines[shown].line);
}
