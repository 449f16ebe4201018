/* Laying out kicks, and how they count. */
#include "base/clock.h"
#include "fixture.h"
#include "postfix/kick.h"
#include "wire/endpoint.h"
#include <errno.h>

static struct instance instances[4];
static struct selection_member members[4];
static struct selection selection = {
    .instances = instances, .count = 4, .members = members, .member_count = 4};
static UT_array *targets;

static char *text(const char *value)
{
    return alloc_string(value);
}

static int setup(void **state)
{
    static const enum selection_state standings[] = {SELECTION_SERVE, SELECTION_FAILED,
                                                     SELECTION_DISABLED, SELECTION_DUPLICATE};

    for (size_t i = 0; i < 4; i++) {
        instances[i] = (struct instance){.config_directory = alloc_format("/etc/%zu", i),
                                         .trigger_timeout = 11,
                                         .application_event_drain_time = 22};
        members[i] = (struct selection_member){.instance = &instances[i], .state = standings[i]};
    }
    instances[0].values[PARAMETER_QUEUE_DIRECTORY] = text("/spool");
    instances[0].values[PARAMETER_QUEUE_SERVICE_NAME] = text("qmgr2");
    instances[0].values[PARAMETER_PICKUP_SERVICE_NAME] = text("a/b");
    instances[1].error = text("broken");
    members[3].duplicate_of = &instances[0];
    utarray_new(targets, &target_icd);
    target_append(targets, "public", "qmgr", "FADI");
    target_append(targets, "public", "pickup", "W");
    (void)state;
    return 0;
}

static int teardown(void **state)
{
    for (size_t i = 0; i < 4; i++)
        instance_free(&instances[i]);
    utarray_free(targets);
    (void)state;
    return 0;
}

static void assert_kick(const struct kick *kick, const char *service, enum kick_status status,
                        const char *reason)
{
    assert_string_equal(kick->service, service);
    assert_int_equal(kick->status, status);
    if (reason == NULL)
        assert_null(kick->reason);
    else
        assert_string_equal(kick->reason, reason);
}

static void test_plan_of_an_action(void **state)
{
    (void)state;
    struct kicks kicks;

    kicks_plan(&kicks, &selection, targets, true);
    assert_int_equal(kicks.count, 8);
    assert_int_equal(kicks.trigger_count, 1);
    assert_kick(&kicks.items[0], "qmgr2", KICK_PLANNED, NULL);
    assert_kick(&kicks.items[1], "a/b", KICK_FAILED, "invalid service name: a/b");
    assert_kick(&kicks.items[2], "qmgr", KICK_FAILED, "broken");
    assert_kick(&kicks.items[3], "pickup", KICK_FAILED, "broken");
    assert_kick(&kicks.items[4], "qmgr", KICK_DISABLED, NULL);
    assert_kick(&kicks.items[7], "pickup", KICK_DUPLICATE, "same queue directory as /etc/0");
    const struct trigger *trigger = kicks.items[0].trigger;
    assert_string_equal(trigger->queue_directory, "/spool");
    assert_string_equal(trigger->service, "qmgr2");
    assert_string_equal(trigger->request, "FADI");
    assert_int_equal(trigger->request_length, 4);
    assert_int_equal(trigger->send_limit, 11);
    assert_int_equal(trigger->read_limit, 22);
    kicks_free(&kicks);
    assert_int_equal(kicks.count, 0);
}

static void test_plan_of_a_service(void **state)
{
    (void)state;
    struct kicks kicks;

    kicks_plan(&kicks, &selection, targets, false);
    assert_int_equal(kicks.trigger_count, 2);
    assert_kick(&kicks.items[0], "qmgr", KICK_PLANNED, NULL);
    assert_kick(&kicks.items[1], "pickup", KICK_PLANNED, NULL);
    kicks_free(&kicks);
}

static void test_status(void **state)
{
    static const struct {
        enum kick_status status;
        const char *name;
        bool is_well;
    } cases[] = {
        {KICK_KICKED, "kicked", true},          {KICK_UNCONFIRMED, "unconfirmed", false},
        {KICK_UNFINISHED, "unfinished", false}, {KICK_FAILED, "failed", false},
        {KICK_DISABLED, "disabled", true},      {KICK_DUPLICATE, "duplicate", true},
        {KICK_PLANNED, "planned", true},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct kick kick = {.status = cases[i].status};

        assert_string_equal(kick_status_name(cases[i].status), cases[i].name);
        assert_int_equal(kick_succeeded(&kick), cases[i].is_well);
    }
}

static void test_seconds(void **state)
{
    (void)state;
    struct trigger trigger = {.started = 5 * CLOCK_SECOND};
    struct kick kick = {.trigger = NULL};

    assert_true(kick_seconds(&kick) == 0.0);
    kick.trigger = &trigger;
    assert_true(kick_seconds(&kick) == 0.0);
    trigger.finished = 7 * CLOCK_SECOND;
    assert_true(kick_seconds(&kick) == 2.0);
}

static const char *know_nothing(void *context, const char *service)
{
    (void)context;
    (void)service;
    return NULL;
}

/* Outcomes that a test on the command line cannot well bring about. */
static void test_rare_reasons(void **state)
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
        {TRIGGER_NO_TIME, 0, "not started: the time was over"},
        {TRIGGER_PENDING, 0, "not confirmed: interrupted"},
    };

    (void)state;
    struct master_locks *locks = master_locks_new();
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct kicks kicks;

        kicks_plan(&kicks, &selection, targets, false);
        kicks.items[0].status = KICK_FAILED;
        kicks.items[0].trigger->outcome = cases[i].outcome;
        kicks.items[0].trigger->error = cases[i].error;
        kicks_explain(&kicks, locks, know_nothing, NULL);
        assert_string_equal(kicks.items[0].reason, cases[i].reason);
        kicks_free(&kicks);
    }
    master_locks_free(locks);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_plan_of_an_action), TEST(test_plan_of_a_service), TEST(test_status),
        TEST(test_seconds),           TEST(test_rare_reasons),
    };

    return cmocka_run_group_tests_name("kick", tests, NULL, NULL);
}
