/* SPDX-License-Identifier: MIT */
/* Laying out kicks, those that go to the same endpoint, how they count, and why they failed. */
#include "fixture.h"
#include "postfix/kick.h"
#include <poll.h>

#define LIMIT 100

static struct instance instances[4];
static struct selection_member members[4];
static struct selection selection = {
    .host = {.instances = instances, .count = 4}, .members = members, .member_count = 4};
static UT_array *targets;

SETUP(make_instances)
{
    static const enum selection_state states[] = {SELECTION_SERVE, SELECTION_FAILED,
                                                  SELECTION_DISABLED, SELECTION_DUPLICATE};

    for (size_t i = 0; i < 4; i++) {
        instances[i] = (struct instance){.config_directory = alloc_format("/etc/%zu", i),
                                         .trigger_timeout = 11,
                                         .application_event_drain_time = 22};
        members[i] = (struct selection_member){.instance = &instances[i], .state = states[i]};
    }
    instances[0].values[PARAMETER_QUEUE_DIRECTORY] = alloc_string("/spool");
    instances[0].values[PARAMETER_QUEUE_SERVICE_NAME] = alloc_string("qmgr2");
    instances[0].values[PARAMETER_PICKUP_SERVICE_NAME] = alloc_string("a/b");
    instances[1].error = alloc_string("broken");
    members[3].duplicate_of = &instances[0];
    utarray_new(targets, &target_icd);
    target_append(targets, "public", "qmgr", "FADI");
    target_append(targets, "public", "pickup", "W");
}

TEARDOWN(free_instances)
{
    for (size_t i = 0; i < 4; i++)
        instance_free(&instances[i]);
    utarray_free(targets);
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

static size_t count_triggers(const struct kicks *kicks)
{
    size_t count = 0;

    for (size_t i = 0; i < kicks->count; i++)
        if (kicks->items[i].trigger != NULL)
            count++;
    return count;
}

TEST(plan_of_an_action)
{
    struct kicks kicks;

    kicks = (struct kicks){.targets = targets, .is_action = true, .limit = LIMIT};
    kicks_plan(&kicks, &selection);
    assert_int_equal(kicks.count, 8);
    assert_int_equal(count_triggers(&kicks), 1);
    assert_kick(&kicks.items[0], "qmgr2", KICK_PLANNED, NULL);
    assert_kick(&kicks.items[1], "a/b", KICK_FAILED, "invalid service name: a/b");
    assert_kick(&kicks.items[2], "qmgr", KICK_FAILED, "broken");
    assert_kick(&kicks.items[3], "pickup", KICK_FAILED, "broken");
    assert_kick(&kicks.items[4], "qmgr", KICK_DISABLED, NULL);
    assert_kick(&kicks.items[7], "pickup", KICK_DUPLICATE, "listed twice");
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

/* Found where nothing else is found; the instance that is listed twice lacks it twice. */
TEST(missing_queue_directory)
{
    struct kicks kicks;
    const struct limits limits = limits_start(5);
    const struct fanout fanout = {.connections = 8, .limits = &limits};

    free(instances[0].values[PARAMETER_QUEUE_DIRECTORY]);
    instances[0].values[PARAMETER_QUEUE_DIRECTORY] = alloc_string("/nonexistent");
    instances[3].values[PARAMETER_QUEUE_DIRECTORY] = alloc_string("/nonexistent");
    kicks = (struct kicks){.targets = targets, .limit = LIMIT};
    kicks_plan(&kicks, &selection);
    assert_int_equal(kicks_run(&kicks, fanout), 0);
    for (size_t i = 0; i < 8; i += i == 1 ? 5 : 1) {
        assert_int_equal(kicks.items[i].member->state, SELECTION_FAILED);
        assert_kick(&kicks.items[i], i % 2 == 0 ? "qmgr" : "pickup", KICK_FAILED,
                    "chdir /nonexistent: No such file or directory");
    }
    assert_int_equal(count_triggers(&kicks), 0);
    assert_int_equal(kicks_run(&kicks, fanout), 0);
    kicks_free(&kicks);
}

TEST(plan_of_a_service)
{
    struct kicks kicks;

    kicks = (struct kicks){.targets = targets, .limit = 15};
    kicks_plan(&kicks, &selection);
    assert_int_equal(count_triggers(&kicks), 2);
    assert_int_equal(kicks.items[0].trigger->send_limit, 11);
    assert_int_equal(kicks.items[0].trigger->read_limit, 15); /* 22, but for the host's limit */
    assert_kick(&kicks.items[0], "qmgr", KICK_PLANNED, NULL);
    assert_kick(&kicks.items[1], "pickup", KICK_PLANNED, NULL);
    kicks_free(&kicks);
}

TEST(status)
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

    for (size_t i = 0; i < COUNT(cases); i++) {
        struct kick kick = {.status = cases[i].status};

        assert_string_equal(kick_status_name(cases[i].status), cases[i].name);
        assert_int_equal(kick_succeeded(&kick), cases[i].is_well);
    }
}

TEST(seconds)
{
    struct trigger trigger = {.started = 5 * CLOCK_SECOND};
    struct kick kick = {.trigger = NULL};

    assert_true(kick_seconds(&kick) == 0.0);
    kick.trigger = &trigger;
    assert_true(kick_seconds(&kick) == 0.0);
    trigger.finished = 7 * CLOCK_SECOND;
    assert_true(kick_seconds(&kick) == 2.0);
}

static const struct settings built_in;

/* The instances of a host, each with the limits 2 s and 1 s, queue directory and qmgr's name. */
static void make_host(const char *(*each)[2])
{
    (void)fixture_directory("victim");
    (void)fixture_directory("other");
    (void)fixture_directory("other/public");
    for (size_t i = 0; i < 4; i++) {
        char **values = instances[i].values;
        for (size_t j = 0; j < PARAMETER_COUNT; j++)
            alloc_set_text(&values[j], "%s", "");
        members[i] = (struct selection_member){.instance = &instances[i],
                                               .state = each[i][0] == NULL ? SELECTION_DISABLED
                                                                           : SELECTION_SERVE};
        instances[i].trigger_timeout = 2;
        instances[i].application_event_drain_time = 1;
        if (each[i][0] != NULL)
            alloc_set_text(&values[PARAMETER_QUEUE_DIRECTORY], "%s", fixture_path(each[i][0]));
        alloc_set_text(&values[PARAMETER_QUEUE_SERVICE_NAME], "%s", each[i][1]);
        alloc_set_text(&values[PARAMETER_PICKUP_SERVICE_NAME], "%s", "pickup");
    }
}

static void run(struct kicks *kicks, int connections)
{
    const struct fanout fanout = {.limits = &fixture_no_limits, .connections = connections};

    assert_int_equal(kicks_run(kicks, fanout), 0);
}

static void explain(struct kicks *kicks)
{
    struct master_locks *locks = master_locks_new(&fixture_no_limits);

    explain_kicks(kicks, locks, &built_in);
    master_locks_free(locks);
}

/* An instance that is listed first and names its neighbour's queue directory, with pickup as its
 * queue manager, keeps no request from the neighbour, even when that has to wait for a connection.
 */
TEST(claimed_queue_directory)
{
    const char *host[4][2] = {
        {"victim", "pickup"}, {"victim", "qmgr"}, {NULL, "qmgr"}, {NULL, "qmgr"}};
    char bytes[64] = {0};
    int pipes[2];

    make_host(host);
    int qmgr = fixture_socket("victim/public/qmgr", SOCK_STREAM, 5),
        pickup = fixture_socket("victim/public/pickup", SOCK_STREAM, 5);
    for (int connections = 1; connections <= 10; connections += 9) {
        struct kicks kicks = {.targets = targets, .is_action = true, .limit = LIMIT};

        assert_int_equal(pipe2(pipes, O_CLOEXEC | O_NONBLOCK), 0);
        pid_t readers[] = {fixture_reader(qmgr, pipes[1]), fixture_reader(pickup, -1)};
        kicks_plan(&kicks, &selection);
        run(&kicks, connections);
        /* a reader reports what it has read a moment after it was confirmed */
        struct pollfd reported = {.fd = pipes[0], .events = POLLIN};
        assert_int_equal(poll(&reported, 1, 10000), 1);
        fixture_kill(readers[0]);
        fixture_kill(readers[1]);
        explain(&kicks);
        assert_int_equal(read(pipes[0], bytes, sizeof(bytes)), 5);
        assert_string_equal(bytes, "FADI");
        assert_kick(&kicks.items[0], "pickup", KICK_KICKED, NULL);
        assert_kick(&kicks.items[1], "pickup", KICK_KICKED, NULL);
        assert_kick(&kicks.items[2], "qmgr", KICK_KICKED, NULL);
        assert_kick(&kicks.items[3], "pickup", KICK_DUPLICATE, "same endpoint as /etc/0's");
        assert_ptr_equal(kicks.items[3].duplicate_of, &kicks.items[1]);
        assert_true(kick_succeeded(&kicks.items[3]));
        kicks_free(&kicks);
        close(pipes[0]);
        close(pipes[1]);
    }
    close(qmgr);
    close(pickup);
}

/* The third waits as long as its own limit, whatever the first one's is, and they share the
 * failure.
 */
TEST(shared_failure)
{
    const char *host[4][2] = {
        {"victim", "qmgr"}, {"other", "qmgr"}, {"victim", "qmgr"}, {NULL, "qmgr"}};
    struct kicks kicks;

    make_host(host);
    instances[2].application_event_drain_time = 2;
    int qmgr = fixture_socket("victim/public/qmgr", SOCK_STREAM, 5);
    assert_int_equal(link(fixture_path("victim/public/qmgr"), fixture_path("other/public/qmgr")),
                     0);
    utarray_pop_back(targets);
    kicks = (struct kicks){.targets = targets, .is_action = true, .limit = LIMIT};
    kicks_plan(&kicks, &selection);
    run(&kicks, 10);
    explain(&kicks);
    assert_kick(&kicks.items[0], "qmgr", KICK_UNCONFIRMED, "request not read within 2s");
    for (size_t i = 1; i < 3; i++) {
        assert_kick(&kicks.items[i], "qmgr", KICK_DUPLICATE,
                    "same endpoint as /etc/0's: request not read within 2s");
        assert_false(kick_succeeded(&kicks.items[i]));
    }
    kicks_free(&kicks);

    /* over before the others start: the one with a longer limit is sent by itself */
    kicks = (struct kicks){.targets = targets, .is_action = true, .limit = LIMIT};
    kicks_plan(&kicks, &selection);
    run(&kicks, 1);
    explain(&kicks);
    assert_kick(&kicks.items[0], "qmgr", KICK_UNCONFIRMED, "request not read within 1s");
    assert_kick(&kicks.items[1], "qmgr", KICK_DUPLICATE,
                "same endpoint as /etc/0's: request not read within 1s");
    assert_kick(&kicks.items[2], "qmgr", KICK_UNCONFIRMED, "request not read within 2s");
    kicks_free(&kicks);
    close(qmgr);
}

TEST(check_finds_duplicates)
{
    const char *host[4][2] = {
        {"victim", "qmgr"}, {"victim", "qmgr"}, {NULL, "qmgr"}, {NULL, "qmgr"}};
    struct kicks kicks;
    struct master_locks *locks = master_locks_new(&fixture_no_limits);

    make_host(host);
    int qmgr = fixture_socket("victim/public/qmgr", SOCK_STREAM, 5);
    kicks = (struct kicks){.targets = targets, .is_action = true, .limit = LIMIT};
    kicks_plan(&kicks, &selection);
    kicks_check(&kicks, locks);
    explain(&kicks);
    assert_int_equal(kicks.items[0].status, KICK_FAILED); /* no master there */
    assert_kick(&kicks.items[2], "qmgr", KICK_DUPLICATE, "same endpoint as /etc/0's: not running");
    assert_int_equal(fcntl(qmgr, F_SETFL, O_NONBLOCK), 0);
    assert_int_equal(accept4(qmgr, NULL, NULL, SOCK_CLOEXEC), -1);
    kicks_free(&kicks);
    master_locks_free(locks);
    close(qmgr);
}
