/* SPDX-License-Identifier: MIT */
/* What is in the queues: cells, the total, what could not be read and whether that counts. */
#include "instances.h"
#include "report/queues.h"

#define NOW 1700000000

static struct queue_reading readings[2];
static struct queues_report report = {.selection = &selection, .readings = readings, .now = NOW};
static struct fixture_result result;
static char *const text = result.text;

/* Makes both instances ones that were read, with a message each, one second old. */
static void read_both(void)
{
    for (size_t i = 0; i < 2; i++) {
        readings[i] = (struct queue_reading){.directory = "/queue",
                                             .contents = {.queues[QUEUE_HOLD] = {1, 10, NOW - 1},
                                                          .total_bytes = 1000,
                                                          .free_bytes = 249,
                                                          .inode = i}};
        instances[i].enabled = INSTANCE_ENABLED;
    }
}

static void write_report(void)
{
    (void)report_queues(&report);
}

/* Returns the table. */
static const char *show(void)
{
    report.json = false;
    result = fixture_run(write_report, STDOUT_FILENO);
    return text;
}

TEST(table)
{
    read_both();
    readings[0].contents.queues[QUEUE_DEFERRED] = (struct queue_tally){4014, 19084083, NOW - 7800};
    assert_string_equal(
        show(),
        "NAME       GROUP  INCOMING  ACTIVE  DEFERRED  HOLD  MAILDROP   SIZE  OLDEST  FREE  "
        "DIRECTORY\n"
        "postfix-a  -             0       0      4014     1         0  18.2M   2h10m   24%  "
        "/etc/a\n"
        "-          -             0       0         0     1         0     10      1s   24%  "
        "/etc/b\\033\n"
        "total                    0       0      4014     2         0  18.2M   2h10m\n");
}

TEST(empty_queues)
{
    read_both();
    selection.member_count = 1;
    readings[0].contents = (struct queue_contents){0};
    assert_non_null(strstr(show(),
                           "postfix-a  -             0       0         0     0         0     "
                           "-       -     -  /etc/a\n"));
    assert_null(strstr(text, "total"));
}

/* A directory counts once, and what could not be read does not. */
TEST(total)
{
    read_both();
    readings[1].contents.inode = 0;
    assert_non_null(strstr(show(), "total                    0       0         0     1 "));
    readings[1].contents.device = 1;
    assert_non_null(strstr(show(), "total                    0       0         0     2 "));
    readings[1].reason = alloc_string("broken");
    assert_non_null(strstr(show(), "total                    0       0         0     1 "));
    assert_non_null(strstr(text, "-          -             -       -         -     -         -     "
                                 "-       -     -  /etc/b\\033\n"));
    readings[0].reason = readings[1].reason;
    assert_null(strstr(show(), "total"));
    readings[0].reason = NULL;
    free(readings[1].reason);
}

TEST(corrupt)
{
    read_both();
    readings[0].contents.queues[QUEUE_CORRUPT] = (struct queue_tally){2, 3000, NOW - 90};
    readings[1].contents.queues[QUEUE_CORRUPT] = (struct queue_tally){1, 5, 0};
    assert_non_null(strstr(show(),
                           "\ncorrupt: /queue/corrupt: 2 messages, size 2.9K, oldest 1m30s\n"
                           "corrupt: /queue/corrupt: 1 message, size 5\n"));
    assert_non_null(strstr(text, "total                    0       0         0     2 "));
    readings[1].contents.inode = 0; /* the same one */
    assert_null(strstr(show(), "1 message,"));
}

/* Returns the row of an instance from its queues on: a new string. */
static char *row(size_t index)
{
    char *line = result.text;

    report.json = true;
    result = fixture_run(write_report, STDOUT_FILENO);
    for (; index > 0; index--)
        line = strchr(line, '\n') + 1;
    *strchr(line, '\n') = '\0';
    return alloc_string(strstr(line, "\"queues\""));
}

static void expect_row(size_t index, const char *expected)
{
    char *found = row(index);

    assert_string_equal(found, expected);
    free(found);
}

#define NONE "{\"messages\": 0, \"bytes\": 0, \"oldest\": null}"

TEST(json)
{
    read_both();
    readings[0].contents.queues[QUEUE_DEFERRED] = (struct queue_tally){4, 100, NOW - 7};
    readings[0].contents.queues[QUEUE_CORRUPT] = (struct queue_tally){9, 9, 9};
    readings[0].contents.total_inodes = 5;
    expect_row(0, "\"queues\": {\"incoming\": " NONE ", \"active\": " NONE ", \"deferred\": "
                  "{\"messages\": 4, \"bytes\": 100, \"oldest\": 1699999993}, \"hold\": "
                  "{\"messages\": 1, \"bytes\": 10, \"oldest\": 1699999999}, \"maildrop\": " NONE
                  ", \"corrupt\": {\"messages\": 9, \"bytes\": 9, \"oldest\": 9}}, "
                  /* without corrupt */
                  "\"messages\": 5, \"bytes\": 110, \"oldest\": 1699999993, "
                  "\"free_bytes\": 249, \"total_bytes\": 1000, \"free_inodes\": 0, "
                  "\"total_inodes\": 5, \"status\": \"ok\", \"reason\": \"\"}");
    char *found = row(1); /* a file system that has no limit of inodes */
    assert_non_null(strstr(found, "\"free_inodes\": null, \"total_inodes\": null, "));
    free(found);
}

/* Nothing is known of it, and nothing is 0. */
static void expect_unknown(const char *status)
{
    char *expected =
        alloc_format("\"queues\": null, \"messages\": null, \"bytes\": null, \"oldest\": null, "
                     "\"free_bytes\": null, \"total_bytes\": null, \"free_inodes\": null, "
                     "\"total_inodes\": null, \"status\": \"%s\", \"reason\": \"it is broken\"}",
                     status);

    expect_row(1, expected);
    free(expected);
}

static void report_errors(void)
{
    int null = open("/dev/null", O_WRONLY | O_CLOEXEC);

    (void)dup2(null, STDOUT_FILENO);
    _exit(report_queues(&report) ? 0 : 1);
}

/* Compares whether all is well, and what is reported unless quiet. */
static void expect_report(bool is_well, const char *expected)
{
    for (int quiet = 0; quiet <= 1; quiet++) {
        report.quiet = quiet == 1;
        struct fixture_result errors = fixture_run(report_errors, STDERR_FILENO);

        assert_int_equal(WEXITSTATUS(errors.status), is_well ? 0 : 1);
        assert_string_equal(errors.text, report.quiet ? "" : expected);
    }
}

/* One that is not enabled counts only if it was named. */
TEST(failures)
{
    read_both();
    readings[1].reason = alloc_string("it is broken");
    expect_unknown("failed");
    expect_report(false, "postkick: warning: /etc/b\\033: it is broken\n");
    instances[1].enabled = INSTANCE_DISABLED;
    expect_unknown("disabled");
    expect_report(true, "");
    selection.members[1].is_named = true;
    expect_report(false, "postkick: warning: /etc/b\\033: it is broken\n");
    expect_unknown("failed");
    free(readings[1].reason);
}
