/* SPDX-License-Identifier: MIT */
/* The line of progress, on a standard error that is no terminal: 80 columns. */
#include "fixture.h"
#include "report/progress.h"

static void show_two_waiting(void)
{
    struct progress progress;

    progress_start(&progress);
    progress_add_done(&progress);
    progress_add_waiting(&progress, "/etc/a", 3 * CLOCK_SECOND);
    progress_add_waiting(&progress, "/etc/b\x1b", 5 * CLOCK_SECOND - 1);
    progress_show(&progress, CLOCK_SECOND);
    progress_clear();
    progress_clear();
}

static void show_without_end(void)
{
    struct progress progress;

    progress_start(&progress);
    progress_add_waiting(&progress, "/etc/a", CLOCK_NEVER);
    progress_add_waiting(&progress, NULL, 0);
    progress_show(&progress, CLOCK_SECOND);
}

static void show_all_done(void)
{
    struct progress progress;

    progress_start(&progress);
    progress_add_done(&progress);
    progress_show(&progress, CLOCK_SECOND);
}

static void show_many(void)
{
    struct progress progress;

    progress_start(&progress);
    for (int i = 0; i < 1000; i++)
        progress_add_waiting(&progress, "/etc/\xc3\xa4", 0);
    progress_show(&progress, CLOCK_SECOND);
}

TEST(line)
{
    fixture_assert_errors(show_two_waiting,
                          "\r\033[K1 of 3 done, 4 s left, waiting for /etc/a /etc/b\\033\r\033[K");
    fixture_assert_errors(show_without_end, "\r\033[K0 of 2 done, waiting for /etc/a");
    fixture_assert_errors(show_all_done, "");
}

/* 79 columns, and no half of a character. */
TEST(cut)
{
    fixture_assert_errors(show_many,
                          "\r\033[K0 of 1000 done, 0 s left, waiting for /etc/\xc3\xa4 "
                          "/etc/\xc3\xa4 /etc/\xc3\xa4 /etc/\xc3\xa4 /etc/\xc3\xa4 /et...");
}
