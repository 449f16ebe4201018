/* SPDX-License-Identifier: MIT */
/* The report of kicks: Postfix's words and ours, for each outcome; and the states of -s: what the
 * answer, the lock and multi_instance_enable make together. */
#include "fixture.h"
#include "report/kicks.h"

static struct instance instance;
static struct selection_member member = {.instance = &instance};
static struct selection selection = {.members = &member, .member_count = 1};
static struct trigger trigger;
static struct kick kick;
static struct kicks kicks = {.items = &kick, .count = 1};
static struct kicks_report report = {.selection = &selection, .kicks = &kicks};

SETUP(make_kick)
{
    static char directory[] = "/etc/a", reason[] = "REASON";

    instance = (struct instance){.config_directory = directory, .enabled = INSTANCE_ENABLED};
    trigger = (struct trigger){.is_socket = true};
    kick = (struct kick){.member = &member,
                         .class = "public",
                         .service = "x",
                         .request = "W",
                         .trigger = &trigger,
                         .status = KICK_FAILED,
                         .reason = reason,
                         .seconds = 0.5};
    member.state = SELECTION_SERVE;
    member.is_named = selection.is_single = true;
    kicks.is_action = report.json = report.quiet = false;
    report.verbose = 0;
}

static void write_report(void)
{
    (void)report_kicks(&report);
}

static void assert_reported(const char *expected)
{
    fixture_assert_errors(write_report, expected);
}

#define CONTACT                                                                                    \
    "postkick: warning: Cannot contact class public service x - perhaps the mail system is down\n"
#define NO_SOCKET "postkick: warning: public/x is not a socket or a fifo\n"
#define REASON "postkick: warning: public/x: REASON\n"

TEST(as_postfix)
{
    static const struct {
        enum trigger_outcome outcome;
        int error;
        const char *expected;
    } cases[] = {
        {TRIGGER_LOOKUP, ENOENT,
         "postkick: warning: unable to look up public/x: No such file or directory\n" CONTACT
             REASON},
        {TRIGGER_LOOKUP, EACCES,
         "postkick: warning: unable to look up public/x: Permission denied\n" CONTACT REASON},
        {TRIGGER_LOOKUP, ENOSPC,
         "postkick: warning: unable to look up public/x: No space left on device\n" CONTACT},
        {TRIGGER_LINK, ENOTDIR,
         "postkick: warning: unable to look up public/x: Not a directory\n" CONTACT REASON},
        {TRIGGER_LINK, ELOOP, NO_SOCKET CONTACT REASON},
        {TRIGGER_WRONG_TYPE, 0, NO_SOCKET CONTACT},
        {TRIGGER_HARD_LINKS, 0, CONTACT REASON},
        {TRIGGER_CONNECT, ECONNREFUSED, CONTACT REASON},
        {TRIGGER_QUEUE_FULL, EAGAIN, CONTACT REASON},
        {TRIGGER_NO_READER, ENXIO, CONTACT REASON},
        {TRIGGER_NOT_READ, 0, REASON},
        {TRIGGER_CLOSED, ECONNRESET, REASON},
        {TRIGGER_NO_TIME, 0, REASON},
        {TRIGGER_PENDING, 0, REASON},
    };

    for (size_t i = 0; i < COUNT(cases); i++) {
        trigger.outcome = cases[i].outcome;
        trigger.error = cases[i].error;
        assert_reported(cases[i].expected);
    }
    /* Postfix has no actions, and names no instance */
    trigger.outcome = TRIGGER_CONNECT;
    kicks.is_action = true;
    assert_reported(REASON);
    selection.is_single = false;
    assert_reported("postkick: warning: /etc/a: public/x: REASON\n");
}

TEST(success)
{
    kick.status = KICK_KICKED;
    kick.has_succeeded = true;
    trigger.outcome = TRIGGER_KICKED;
    assert_reported("");
    report.verbose = 1;
    assert_reported("postkick: public/x: request \"W\" read after 500.0ms\n");
    trigger.wait_for_close = true;
    assert_reported("postkick: public/x: request \"W\" finished after 500.0ms\n");
    trigger.is_socket = false;
    assert_reported("postkick: public/x: request \"W\" read after 500.0ms\n");
    selection.is_single = false;
    assert_reported("postkick: /etc/a: public/x: request \"W\" read after 500.0ms\n");
    kick.status = KICK_DISABLED;
    assert_reported("");
}

/* The only instance has no queue directory, which only the kick shows: that is fatal, even where
 * little is reported. */
TEST(lone_failure)
{
    static char error[] = "chdir /q: No such file or directory";

    instance.error = error;
    member.state = SELECTION_FAILED;
    assert_reported("postkick: fatal: chdir /q: No such file or directory\n");
    report.quiet = true;
    assert_reported("postkick: fatal: chdir /q: No such file or directory\n");
    selection.is_single = false;
    assert_reported("");
}

/* A duplicate shares the outcome of the first, which is reported by itself. */
TEST(duplicate)
{
    selection.is_single = false;
    kick.status = KICK_DUPLICATE;
    kick.has_succeeded = true;
    trigger.outcome = TRIGGER_DUPLICATE;
    assert_reported("postkick: warning: /etc/a: public/x: REASON: not kicked again\n");
    kick.has_succeeded = false;
    assert_reported("postkick: warning: /etc/a: public/x: REASON\n");
}

TEST(status)
{
    static const char *const words[] = {
        [KICK_KICKED] = "kicked",         [KICK_UNCONFIRMED] = "unconfirmed",
        [KICK_UNFINISHED] = "unfinished", [KICK_FAILED] = "failed",
        [KICK_DISABLED] = "disabled",     [KICK_DUPLICATE] = "duplicate",
        [KICK_PLANNED] = "planned",
    };

    report.json = report.quiet = true;
    for (size_t i = 0; i < COUNT(words); i++) {
        char *expected = alloc_format("\"request\": \"W\", \"endpoint\": \"\", \"status\": \"%s\", "
                                      "\"reason\": \"REASON\", \"seconds\": 0.5}\n",
                                      words[i]);

        kick.status = (enum kick_status)i;
        assert_non_null(strstr(fixture_run(write_report, STDOUT_FILENO).text, expected));
        free(expected);
    }
}

/* The kick of -s: its state as the table has it. */
static void assert_state(const char *words, bool is_well)
{
    kick.reason = NULL;
    kick.seconds = 0;
    struct master_locks locks = {.limits = &fixture_no_limits};

    kicks.locks = &locks;
    struct status *statuses = statuses_find(&kicks);
    report.statuses = statuses;
    struct fixture_result table = fixture_run(write_report, STDOUT_FILENO);
    fixture_assert_text(table.text, "-  -  %s  %s  /etc/a\n", words,
                        statuses[0].answer == STATUS_ANSWERED ? "0.0ms" : "-");
    assert_int_equal(statuses[0].has_succeeded, is_well);
    report.statuses = NULL;
    statuses_free(statuses, 1);
    master_locks_free(&locks);
}

TEST(states)
{
    static const struct {
        enum instance_enabled enabled;
        enum master_state running;
        enum trigger_outcome outcome;
        int error;
        const char *words;
        bool is_well;
    } cases[] = {
        {INSTANCE_ENABLED, MASTER_RUNNING, TRIGGER_KICKED, 0, "responding", true},
        {INSTANCE_ENABLED, MASTER_UNKNOWN, TRIGGER_KICKED, 0, "responding", true},
        {INSTANCE_ENABLED, MASTER_RUNNING, TRIGGER_NOT_READ, 0, "not responding", false},
        {INSTANCE_ENABLED, MASTER_RUNNING, TRIGGER_CLOSED, ECONNRESET, "not responding", false},
        {INSTANCE_ENABLED, MASTER_RUNNING, TRIGGER_QUEUE_FULL, EAGAIN, "not responding", false},
        {INSTANCE_ENABLED, MASTER_UNKNOWN, TRIGGER_LOOKUP, ENOENT, "not responding", false},
        {INSTANCE_ENABLED, MASTER_STOPPED, TRIGGER_LOOKUP, ENOENT, "not running", false},
        {INSTANCE_ENABLED, MASTER_STOPPED, TRIGGER_CONNECT, ECONNREFUSED, "not running", false},
        {INSTANCE_ENABLED, MASTER_RUNNING, TRIGGER_LOOKUP, EACCES, "permission denied", false},
        {INSTANCE_ENABLED, MASTER_RUNNING, TRIGGER_CONNECT, EACCES, "permission denied", false},
        {INSTANCE_ENABLED, MASTER_RUNNING, TRIGGER_LINK, ELOOP, "unknown", false},
        {INSTANCE_ENABLED, MASTER_RUNNING, TRIGGER_PENDING, 0, "unknown", false},
        {INSTANCE_ENABLED, MASTER_RUNNING, TRIGGER_NO_TIME, 0, "unknown", false},
        {INSTANCE_DISABLED, MASTER_RUNNING, TRIGGER_KICKED, 0, "not enabled, but responding", true},
        {INSTANCE_DISABLED, MASTER_RUNNING, TRIGGER_NOT_READ, 0, "not enabled, but running", true},
        {INSTANCE_DISABLED, MASTER_STOPPED, TRIGGER_LOOKUP, ENOENT, "not enabled", true},
        {INSTANCE_DISABLED, MASTER_UNKNOWN, TRIGGER_CONNECT, EACCES, "not enabled", true},
    };
    static char error[] = "broken";

    member.is_named = selection.is_single = false;
    for (size_t i = 0; i < COUNT(cases); i++) {
        instance.enabled = cases[i].enabled;
        instance.running = cases[i].running;
        trigger.outcome = cases[i].outcome;
        trigger.error = cases[i].error;
        kick.status = cases[i].outcome == TRIGGER_KICKED ? KICK_KICKED : KICK_FAILED;
        assert_state(cases[i].words, cases[i].is_well);
    }
    /* one that is asked for alone ought to answer, enabled or not */
    member.is_named = true;
    instance.running = MASTER_STOPPED;
    trigger.outcome = TRIGGER_LOOKUP;
    trigger.error = ENOENT;
    assert_state("not running", false);
    instance.error = error;
    instance.enabled = INSTANCE_UNKNOWN;
    member.state = SELECTION_FAILED;
    kick.trigger = NULL;
    assert_state("configuration error", false);
}

/* A duplicate has the answer of the first. */
TEST(duplicate_state)
{
    struct trigger first_trigger = {.is_socket = true, .outcome = TRIGGER_KICKED};
    struct kick first = {.member = &member, .trigger = &first_trigger, .status = KICK_KICKED};

    trigger = (struct trigger){.outcome = TRIGGER_DUPLICATE};
    selection.is_single = false;
    kick.status = KICK_DUPLICATE;
    kick.duplicate_of = &first;
    assert_state("responding (duplicate)", true);
    first.status = KICK_UNCONFIRMED;
    first_trigger.outcome = TRIGGER_NOT_READ;
    assert_state("not responding (duplicate)", false);
}
