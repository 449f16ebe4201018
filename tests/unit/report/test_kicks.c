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

static int setup(void **state)
{
    static char directory[] = "/etc/a", reason[] = "REASON";

    (void)state;
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
    return 0;
}

static void report(void)
{
    report_kicks(&selection, &kicks, as_postfix, verbose);
}

static void assert_reported(const char *expected)
{
    struct fixture_result result = fixture_run(report, STDERR_FILENO);

    assert_string_equal(result.text, expected);
}

#define CONTACT                                                                                    \
    "postkick: warning: Cannot contact class public service x - perhaps the mail system is down\n"
#define NO_SOCKET "postkick: warning: public/x is not a socket or a fifo\n"
#define REASON "postkick: warning: public/x: REASON\n"

static void test_as_postfix(void **state)
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
        {TRIGGER_LOOKUP, EIO,
         "postkick: warning: unable to look up public/x: Input/output error\n" CONTACT},
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

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        trigger.outcome = cases[i].outcome;
        trigger.error = cases[i].error;
        assert_reported(cases[i].expected);
    }
}

static void test_own_words(void **state)
{
    (void)state;
    trigger.outcome = TRIGGER_CONNECT;
    as_postfix = false;
    assert_reported(REASON);
    selection.is_single = false;
    assert_reported("postkick: warning: /etc/a: public/x: REASON\n");
}

static void test_success(void **state)
{
    (void)state;
    kick.status = KICK_KICKED;
    trigger.outcome = TRIGGER_KICKED;
    assert_reported("");
    verbose = 1;
    assert_reported("postkick: public/x: request \"W\" read after 0.500s\n");
    trigger.wait_for_close = true;
    assert_reported("postkick: public/x: request \"W\" finished after 0.500s\n");
    trigger.is_socket = false;
    assert_reported("postkick: public/x: request \"W\" written after 0.500s\n");
    selection.is_single = false;
    assert_reported("postkick: /etc/a: public/x: request \"W\" written after 0.500s\n");
    kick.status = KICK_DISABLED;
    assert_reported("");
}

/* A duplicate shares the outcome of the first, which is reported by itself. */
static void test_duplicate(void **state)
{
    struct kick first = {.member = &member, .status = KICK_KICKED};

    (void)state;
    selection.is_single = false;
    kick.status = KICK_DUPLICATE;
    kick.duplicate_of = &first;
    trigger.outcome = TRIGGER_DUPLICATE;
    assert_reported("postkick: warning: /etc/a: public/x: REASON: not kicked again\n");
    first.status = KICK_FAILED;
    assert_reported("postkick: warning: /etc/a: public/x: REASON\n");
}

#define TEST(function) cmocka_unit_test_setup(function, setup)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_as_postfix),
        TEST(test_own_words),
        TEST(test_success),
        TEST(test_duplicate),
    };

    return cmocka_run_group_tests_name("report_kicks", tests, NULL, NULL);
}
