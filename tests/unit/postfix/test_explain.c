/* SPDX-License-Identifier: MIT */
/* The reasons of outcomes that a test on the command line cannot cause, and of duplicates. */
#include "fixture.h"
#include "postfix/kick.h"

static const struct settings built_in;

/* Explains one failed kick of public/qmgr. Returns its reason, a new string. */
static char *explain(enum trigger_outcome outcome, int error)
{
    struct master_locks *locks = master_locks_new(&fixture_no_limits);
    struct trigger trigger = {
        .queue_directory = "/nosuch", .class = "public", .outcome = outcome, .error = error};
    struct kick kick = {
        .class = "public", .service = "qmgr", .trigger = &trigger, .status = KICK_FAILED};
    struct kicks kicks = {.items = &kick, .count = 1};

    explain_kicks(&kicks, locks, &built_in);
    master_locks_free(locks);
    return kick.reason;
}

TEST(rare_outcomes)
{
    static const struct {
        enum trigger_outcome outcome;
        int error;
        const char *reason;
    } cases[] = {
        {TRIGGER_SEND, EIO, "cannot send: Input/output error"},
        {TRIGGER_CONNECT, EMFILE, "cannot connect: Too many open files"},
        {TRIGGER_CONNECT, EACCES, "permission denied: \"public\" belongs to group postdrop"},
        {TRIGGER_LOOKUP, ENAMETOOLONG, "cannot be looked up: File name too long"},
        {TRIGGER_NO_TIME, 0, "not started: time limit reached"},
        {TRIGGER_PENDING, 0, "not confirmed: interrupted"},
    };

    for (size_t i = 0; i < COUNT(cases); i++) {
        char *reason = explain(cases[i].outcome, cases[i].error);

        assert_string_equal(reason, cases[i].reason);
        free(reason);
    }
}

/* A duplicate of a duplicate has the reason of the first. */
TEST(duplicates)
{
    static char directory[] = "/etc/postfix-a";
    struct instance instance = {.config_directory = directory};
    struct selection_member member = {.instance = &instance};
    struct trigger trigger = {.outcome = TRIGGER_CLOSED};
    struct kick items[3] = {{.class = "public", .trigger = &trigger, .status = KICK_FAILED},
                            {.class = "public", .status = KICK_DUPLICATE},
                            {.class = "public", .status = KICK_DUPLICATE}};
    struct kicks kicks = {.items = items, .count = 3};

    for (size_t i = 0; i < 3; i++)
        items[i].member = &member;
    items[1].duplicate_of = &items[0];
    items[2].duplicate_of = &items[1];
    explain_kicks(&kicks, NULL, &built_in);
    assert_string_equal(items[0].reason, "closed before the request was read");
    for (size_t i = 1; i < 3; i++)
        assert_string_equal(items[i].reason, "same endpoint as /etc/postfix-a's: "
                                             "closed before the request was read");
    for (size_t i = 0; i < 3; i++)
        free(items[i].reason);
}
