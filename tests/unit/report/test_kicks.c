/* SPDX-License-Identifier: MIT */
/* The report of kicks: Postfix's words and ours, for each outcome. */
#include "fixture.h"
#include "report/kicks.h"

static struct instance instance;
static struct selection_member member = {.instance = &instance};
static struct selection selection = {.members = &member, .member_count = 1};
static struct trigger trigger;
static struct kick kick;
static struct kicks kicks = {.items = &kick, .count = 1};
static bool as_postfix;
static int verbose;

SETUP(make_kick)
{
    static char directory[] = "/etc/a", reason[] = "REASON";

    instance = (struct instance){.config_directory = directory, .enabled = INSTANCE_ENABLED};
    trigger = (struct trigger){.is_socket = true, .started = 1, .finished = 500001};
    kick = (struct kick){.member = &member,
                         .class = "public",
                         .service = "x",
                         .request = "W",
                         .trigger = &trigger,
                         .status = KICK_FAILED,
                         .reason = reason};
    member.state = SELECTION_SERVE;
    selection.is_single = as_postfix = true;
    verbose = 0;
}

static void report(void)
{
    report_kicks(&selection, &kicks, as_postfix, verbose);
}

static void assert_reported(const char *expected)
{
    fixture_assert_errors(report, expected);
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
}

TEST(own_words)
{
    trigger.outcome = TRIGGER_CONNECT;
    as_postfix = false;
    assert_reported(REASON);
    selection.is_single = false;
    assert_reported("postkick: warning: /etc/a: public/x: REASON\n");
}

TEST(success)
{
    kick.status = KICK_KICKED;
    trigger.outcome = TRIGGER_KICKED;
    assert_reported("");
    verbose = 1;
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

/* A duplicate shares the outcome of the first, which is reported by itself. */
TEST(duplicate)
{
    struct kick first = {.member = &member, .status = KICK_KICKED};

    selection.is_single = false;
    kick.status = KICK_DUPLICATE;
    kick.duplicate_of = &first;
    trigger.outcome = TRIGGER_DUPLICATE;
    assert_reported("postkick: warning: /etc/a: public/x: REASON: not kicked again\n");
    first.status = KICK_FAILED;
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
    UT_string out;

    utstring_init(&out);
    for (size_t i = 0; i < COUNT(words); i++) {
        char *expected = alloc_format("\"request\": \"W\", \"endpoint\": \"\", \"status\": \"%s\", "
                                      "\"reason\": \"REASON\", \"seconds\": 0.5}\n",
                                      words[i]);

        kick.status = (enum kick_status)i;
        utstring_clear(&out);
        report_kicks_output(&kicks, true, &out);
        assert_non_null(strstr(utstring_body(&out), expected));
        free(expected);
    }
    utstring_done(&out);
}
