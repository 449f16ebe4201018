/* SPDX-License-Identifier: MIT */
/* The lines for people. */
#include "base/diag.h"
#include "fixture.h"

static char odd_name[] = "odd\tname";

static void write_lines(void)
{
    diag_line(NULL, "info 1");
    diag_line("warning", "hm: %s", "a\nb\x1b");
    diag_line("fatal", "%s", "100% as it stands %s");
    program_invocation_short_name = odd_name;
    diag_line(NULL, "%s", "");
}

static void write_fatal(void)
{
    diag_line("fatal", "no %s", "way");
}

TEST(lines)
{
    struct fixture_result result = fixture_run(write_lines, STDERR_FILENO);

    assert_string_equal(result.text, "postkick: info 1\n"
                                     "postkick: warning: hm: a\\012b\\033\n"
                                     "postkick: fatal: 100% as it stands %s\n"
                                     "odd\\011name: \n");
    assert_int_equal(result.status, 0);
}

TEST(fatal)
{
    struct fixture_result result = fixture_run(write_fatal, STDERR_FILENO);

    assert_string_equal(result.text, "postkick: fatal: no way\n");
    assert_true(WIFEXITED(result.status));
    assert_int_equal(WEXITSTATUS(result.status), 0);
}

static void write_long(void)
{
    char text[6000];

    memset(text, 'x', 5000);
    memset(text + 5000, 0, 1000);
    diag_line("warning", "%s", text);
    memset(text, 0x1b, 5000);
    diag_line(NULL, "%s", text);
    memset(text, 'x', 4085);
    text[4085] = '\0';
    diag_line(NULL, "%s", text); /* just fits */
}

TEST(a_long_line_is_cut)
{
    struct fixture_result result = fixture_run(write_long, STDERR_FILENO);
    const char *first = strchr(result.text, '\n'), *second = strchr(first + 1, '\n');

    assert_true(first - result.text < 4096);
    assert_non_null(strstr(result.text, "xxx... (961 bytes more)\n"));
    assert_true(second - first <= 4096);
    assert_non_null(strstr(first, "\\033\\033... ("));
    assert_int_equal(strlen(second + 1), 4096);
    assert_null(strstr(second + 1, "more"));
}
