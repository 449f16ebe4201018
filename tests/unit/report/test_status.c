/* SPDX-License-Identifier: MIT */
/* The states of instances: what the answer, the lock and multi_instance_enable make together. */
#include "fixture.h"
#include "report/status.h"

static struct instance instance;
static struct selection_member member = {.instance = &instance};
static struct selection selection = {.members = &member, .member_count = 1};
static struct trigger trigger;
static struct kick kick;
static UT_array *names;
static struct kicks kicks = {.items = &kick, .count = 1};

SETUP(make_kick)
{
    static char directory[] = "/etc/a";

    instance = (struct instance){.config_directory = directory, .enabled = INSTANCE_ENABLED};
    trigger = (struct trigger){.is_socket = true};
    kick = (struct kick){.member = &member, .trigger = &trigger};
    member.state = SELECTION_SERVE;
    selection.is_single = false;
    if (names == NULL)
        utarray_new(names, &strings_icd);
    selection.criteria.names = names;
    kicks.locks = master_locks_new(&fixture_no_limits);
}

TEARDOWN(free_locks)
{
    master_locks_free(kicks.locks);
}

static bool has_succeeded;

/* The state as the table has it, in a new string. */
static char *state_in_table(void)
{
    UT_string out;
    char *first, *end, *found;

    utstring_init(&out);
    struct status *statuses = statuses_find(&selection, &kicks);
    struct status_report report = {&selection, statuses, 1};
    report_status_output(&report, false, false, &out);
    has_succeeded = statuses[0].has_succeeded;
    statuses_free(statuses, 1);
    first = utstring_body(&out) + strlen("-  -  ");
    end = strstr(first, "  ");
    *end = '\0';
    found = alloc_string(first);
    utstring_done(&out);
    return found;
}

static void assert_state(const char *words, bool is_well)
{
    char *found = state_in_table();

    assert_string_equal(found, words);
    assert_int_equal(has_succeeded, is_well);
    free(found);
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

    for (size_t i = 0; i < COUNT(cases); i++) {
        instance.enabled = cases[i].enabled;
        instance.running = cases[i].running;
        trigger.outcome = cases[i].outcome;
        trigger.error = cases[i].error;
        kick.status = cases[i].outcome == TRIGGER_KICKED ? KICK_KICKED : KICK_FAILED;
        assert_state(cases[i].words, cases[i].is_well);
    }
}

/* An instance that is asked for alone ought to answer, enabled or not. */
TEST(single)
{
    selection.is_single = true;
    instance.enabled = INSTANCE_DISABLED;
    instance.running = MASTER_STOPPED;
    trigger.outcome = TRIGGER_LOOKUP;
    trigger.error = ENOENT;
    kick.status = KICK_FAILED;
    assert_state("not running", false);
}

TEST(configuration_error)
{
    member.state = SELECTION_FAILED;
    instance.enabled = INSTANCE_UNKNOWN;
    kick.trigger = NULL;
    kick.status = KICK_FAILED;
    assert_state("configuration error", false);
}

/* A duplicate has the answer of the first. */
TEST(duplicate)
{
    struct trigger first_trigger = {.is_socket = true, .outcome = TRIGGER_KICKED};
    struct kick first = {.member = &member, .trigger = &first_trigger, .status = KICK_KICKED};

    trigger.outcome = TRIGGER_DUPLICATE;
    kick.status = KICK_DUPLICATE;
    kick.duplicate_of = &first;
    assert_state("responding (duplicate)", true);
    first.status = KICK_UNCONFIRMED;
    first_trigger.outcome = TRIGGER_NOT_READ;
    assert_state("not responding (duplicate)", false);
}
