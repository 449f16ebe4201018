/* SPDX-License-Identifier: MIT */
/* What is in the queues: cells, the total, what could not be read and whether that counts. */
#include "instances.h"
#include "report/queues.h"
#include <jansson.h>

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

static const char *show_one(int64_t bytes, int64_t age)
{
    static char words[64];

    read_both();
    readings[0].contents.queues[QUEUE_HOLD] = (struct queue_tally){1, bytes, NOW - age};
    selection.member_count = 1;
    (void)show();
    char *at = strchr(strchr(text, '\n'), '/');
    *at = '\0';
    (void)strtok(strrchr(text, '\n'), " ");
    for (int i = 0; i < 6; i++)
        (void)strtok(NULL, " ");
    const char *size = strtok(NULL, " "), *oldest = strtok(NULL, " ");
    (void)snprintf(words, sizeof(words), "%s %s", size, oldest);
    return words;
}

TEST(sizes_and_ages)
{
    assert_string_equal(show_one(0, 0), "0 0s");
    assert_string_equal(show_one(1023, 59), "1023 59s");
    assert_string_equal(show_one(1024, 60), "1.0K 1m");
    assert_string_equal(show_one(1048524, 61), "1023.9K 1m1s");
    assert_string_equal(show_one(1048525, 3599), "1.0M 59m59s");
    assert_string_equal(show_one(1048576, 3600), "1.0M 1h");
    assert_string_equal(show_one(1600000000, 3660), "1.5G 1h1m");
    assert_string_equal(show_one(INT64_MAX, 86399), "8.0E 23h59m");
    assert_string_equal(show_one(1, 86400), "1 1d");
    assert_string_equal(show_one(1, NOW - 1), "1 19675d22h");
    assert_string_equal(show_one(1, -5), "1 0s");
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

static json_t *row(size_t index)
{
    report.json = true;
    result = fixture_run(write_report, STDOUT_FILENO);
    const char *line = text;
    for (; index > 0; index--)
        line = strchr(line, '\n') + 1;
    json_t *object = json_loads(line, JSON_DISABLE_EOF_CHECK, NULL);
    assert_non_null(object);
    return object;
}

static long long number(json_t *object, const char *name)
{
    assert_true(json_is_integer(json_object_get(object, name)));
    return json_integer_value(json_object_get(object, name));
}

TEST(json)
{
    read_both();
    readings[0].contents.queues[QUEUE_DEFERRED] = (struct queue_tally){4, 100, NOW - 7};
    readings[0].contents.queues[QUEUE_CORRUPT] = (struct queue_tally){9, 9, 9};
    readings[0].contents.total_inodes = 5;
    json_t *object = row(0), *queues = json_object_get(object, "queues");
    json_t *deferred = json_object_get(queues, "deferred");

    assert_int_equal(json_object_size(queues), QUEUE_COUNT);
    assert_int_equal(number(deferred, "messages"), 4);
    assert_int_equal(number(deferred, "bytes"), 100);
    assert_int_equal(number(deferred, "oldest"), NOW - 7);
    assert_int_equal(number(json_object_get(queues, "corrupt"), "messages"), 9);
    assert_true(json_is_null(json_object_get(json_object_get(queues, "active"), "oldest")));
    assert_int_equal(number(object, "messages"), 5); /* without corrupt */
    assert_int_equal(number(object, "bytes"), 110);
    assert_int_equal(number(object, "oldest"), NOW - 7);
    assert_int_equal(number(object, "free_bytes"), 249);
    assert_int_equal(number(object, "total_bytes"), 1000);
    assert_int_equal(number(object, "free_inodes"), 0);
    assert_int_equal(number(object, "total_inodes"), 5);
    assert_string_equal(json_string_value(json_object_get(object, "status")), "ok");
    json_decref(object);
    object = row(1); /* a file system that has no limit of inodes */
    assert_true(json_is_null(json_object_get(object, "free_inodes")));
    assert_true(json_is_null(json_object_get(object, "total_inodes")));
    json_decref(object);
}

/* Nothing is known of it, and nothing is 0. */
static void expect_unknown(const char *status)
{
    static const char *const names[] = {"queues",     "messages",    "bytes",       "oldest",
                                        "free_bytes", "total_bytes", "free_inodes", "total_inodes"};
    json_t *object = row(1);

    for (size_t i = 0; i < COUNT(names); i++)
        assert_true(json_is_null(json_object_get(object, names[i])));
    assert_string_equal(json_string_value(json_object_get(object, "status")), status);
    assert_string_equal(json_string_value(json_object_get(object, "reason")), "it is broken");
    json_decref(object);
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
