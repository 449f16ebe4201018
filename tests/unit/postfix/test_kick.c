/* SPDX-License-Identifier: MIT */
/* Laying out kicks, those that go to the same endpoint, how they count, and why they failed. */
#include "fixture.h"
#include "postfix/kick.c" /* plans, and claims */
#include <poll.h>

#define LIMIT 100

static const struct settings built_in;

static struct instance instances[4];
static struct selection_member members[4];
static struct selection selection = {
    .host = {.instances = instances, .count = 4}, .members = members, .member_count = 4};
static UT_array *targets;
static struct kicks kicks;
static struct master_locks locks = {.limits = &fixture_no_limits};

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
    members[3].duplicate_of = &members[0];
    utarray_new(targets, &target_icd);
    target_append(targets, "public", "qmgr", "FADI");
    target_append(targets, "public", "pickup", "W");
    kicks = (struct kicks){.targets = targets,
                           .is_action = true,
                           .limit = LIMIT,
                           .settings = &built_in,
                           .locks = &locks};
}

/* For another run. */
static void clear(void)
{
    kicks_free(&kicks);
    kicks = (struct kicks){.targets = kicks.is_probe ? NULL : targets,
                           .is_action = kicks.is_action,
                           .limit = kicks.limit,
                           .is_probe = kicks.is_probe,
                           .whole_limit = kicks.whole_limit,
                           .settings = &built_in,
                           .locks = kicks.locks};
}

static void plan_again(void)
{
    clear();
    plan(&kicks, &selection);
}

TEARDOWN(free_instances)
{
    kicks_free(&kicks);
    master_locks_free(&locks);
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

static size_t count_triggers(void)
{
    size_t count = 0;

    for (size_t i = 0; i < kicks.count; i++)
        if (kicks.items[i].trigger != NULL)
            count++;
    return count;
}

static void run(int connections)
{
    clear();
    struct trigger_batch batch = {.limits = &fixture_no_limits, .connections = connections};

    assert_int_equal(kicks_run(&kicks, &selection, &batch), 0);
}

TEST(plan_of_an_action)
{
    plan_again();
    assert_int_equal(kicks.count, 8);
    assert_int_equal(count_triggers(), 1);
    assert_kick(&kicks.items[0], "qmgr2", KICK_PLANNED, NULL);
    assert_kick(&kicks.items[1], "a/b", KICK_FAILED, "invalid service name: a/b");
    assert_kick(&kicks.items[2], "qmgr", KICK_FAILED, "broken");
    assert_kick(&kicks.items[3], "pickup", KICK_FAILED, "broken");
    assert_kick(&kicks.items[4], "qmgr", KICK_DISABLED, NULL);
    assert_kick(&kicks.items[7], "pickup", KICK_DUPLICATE, "listed twice");
    assert_ptr_equal(kicks.items[7].duplicate_of, &kicks.items[1]);
    const struct trigger *trigger = kicks.items[0].trigger;
    assert_string_equal(trigger->queue_directory, "/spool");
    assert_string_equal(trigger->service, "qmgr2");
    assert_string_equal(trigger->request, "FADI");
    assert_int_equal(trigger->request_length, 4);
    assert_int_equal(trigger->send_limit, 11);
    assert_int_equal(trigger->read_limit, 22);
}

/* To the queue manager, as main.cf calls it, within one limit. */
TEST(plan_of_a_probe)
{
    kicks.targets = NULL;
    kicks.is_action = false;
    kicks.is_probe = true;
    kicks.whole_limit = 15;
    plan_again();
    assert_int_equal(kicks.count, 4);
    assert_kick(&kicks.items[0], "qmgr2", KICK_PLANNED, NULL);
    assert_string_equal(kicks.items[0].class, "public");
    assert_int_equal(kicks.items[0].trigger->request_length, 0);
    assert_true(kicks.items[0].trigger->is_probe);
    assert_int_equal(kicks.items[0].trigger->send_limit, 15);
    assert_int_equal(kicks.items[0].trigger->read_limit, 15);
}

TEST(plan_of_a_service)
{
    kicks.is_action = false;
    kicks.limit = 15;
    plan_again();
    assert_int_equal(count_triggers(), 2);
    assert_int_equal(kicks.items[0].trigger->send_limit, 11);
    assert_int_equal(kicks.items[0].trigger->read_limit, 15); /* 22, but for the host's limit */
    assert_kick(&kicks.items[0], "qmgr", KICK_PLANNED, NULL);
    assert_kick(&kicks.items[1], "pickup", KICK_PLANNED, NULL);
}

/* Found where nothing else is found. */
TEST(missing_queue_directory)
{
    static const char *const cases[][2] = {
        {"/nonexistent", "chdir /nonexistent: No such file or directory"},
        {"/dev/null", "chdir /dev/null: Not a directory"},
    };

    kicks.is_action = false;
    for (size_t i = 0; i < 2 * COUNT(cases); i++) {
        size_t target = i % 2;

        alloc_set_text(&instances[0].values[PARAMETER_QUEUE_DIRECTORY], "%s", cases[i / 2][0]);
        free(instances[0].error);
        instances[0].error = NULL;
        members[0].state = SELECTION_SERVE;
        run(8);
        assert_int_equal(members[0].state, SELECTION_FAILED);
        assert_kick(&kicks.items[target], target == 0 ? "qmgr" : "pickup", KICK_FAILED,
                    cases[i / 2][1]);
        assert_kick(&kicks.items[6 + target], target == 0 ? "qmgr" : "pickup", KICK_DUPLICATE,
                    "listed twice");
        assert_false(kicks.items[6 + target].has_succeeded);
        assert_int_equal(count_triggers(), 0);
    }
}

/* Those that a test on the command line cannot cause, and those that count. */
TEST(outcomes)
{
    static const struct {
        enum trigger_outcome outcome;
        int error;
        const char *reason; /* NULL: it succeeds */
    } cases[] = {
        {TRIGGER_KICKED, 0, NULL},
        {TRIGGER_NOT_READ, 0, "request not read within 9s"},
        {TRIGGER_NOT_FINISHED, 0, "request read, service not finished within 9s"},
        {TRIGGER_SEND, ENOSPC, "cannot send: No space left on device"},
        {TRIGGER_CONNECT, ENOBUFS, "cannot connect: No buffer space available"},
        {TRIGGER_CONNECT, EPROTOTYPE, "a datagram socket accepts no requests"},
        {TRIGGER_LOOKUP, ENOSPC, "cannot be looked up: No space left on device"},
        {TRIGGER_NO_TIME, 0, "not started: time limit reached"},
        {TRIGGER_PENDING, 0, "not confirmed: interrupted"},
    };

    alloc_set_text(&instances[0].values[PARAMETER_QUEUE_DIRECTORY], "%s", fixture_root);
    for (size_t i = 0; i < COUNT(cases); i++) {
        plan_again();
        kicks.items[0].trigger->outcome = cases[i].outcome;
        kicks.items[0].trigger->error = cases[i].error;
        kicks.items[0].trigger->seconds = 9;
        kicks.items[0].trigger->started = 5 * CLOCK_SECOND;
        kicks.items[0].trigger->finished = 7 * CLOCK_SECOND;
        settle(&kicks, false);
        if (cases[i].reason == NULL)
            assert_null(kicks.items[0].reason);
        else
            assert_string_equal(kicks.items[0].reason, cases[i].reason);
        assert_int_equal(kicks.items[0].has_succeeded, cases[i].reason == NULL);
        assert_true(kicks.items[4].has_succeeded); /* not enabled */
        assert_true(kicks.items[0].seconds == 2.0);
    }
}

/* The first in the path that this user may not search, or the endpoint. */
TEST(permission_denied)
{
    static const char *const paths[] = {"queue", "queue/public", "queue/public/qmgr2"};
    uid_t user = geteuid();
    struct stat status;

    (void)fixture_directory("queue");
    int qmgr = fixture_socket("queue/public/qmgr2", SOCK_STREAM, 5);
    alloc_set_text(&instances[0].values[PARAMETER_QUEUE_DIRECTORY], "%s", fixture_path("queue"));
    assert_int_equal(chmod(fixture_root, 0755), 0);
    for (size_t i = 0; i < COUNT(paths); i++) {
        const char *path = fixture_path(paths[i]);

        assert_int_equal(stat(path, &status), 0);
        assert_int_equal(chmod(path, 0), 0);
        assert_int_equal(user == 0 ? setresuid(65534, 65534, 0) : 0, 0);
        run(1);
        assert_int_equal(user == 0 ? setresuid(0, 0, 0) : 0, 0);
        assert_int_equal(chmod(path, status.st_mode & 07777), 0);
        char *expected = alloc_format("permission denied: %s belongs to ", path);
        assert_memory_equal(kicks.items[0].reason, expected, strlen(expected));
        assert_non_null(strstr(kicks.items[0].reason, user == 0 ? "root:root, mode 0000" : ":"));
        free(expected);
    }
    close(qmgr);
}

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

/* Takes what a reader reports of its service: a moment after it was confirmed. */
static void assert_read(int pipe)
{
    struct pollfd reported = {.fd = pipe, .events = POLLIN};
    char bytes[64] = {0};

    assert_int_equal(poll(&reported, 1, 10000), 1);
    assert_int_equal(read(pipe, bytes, sizeof(bytes)), 5);
    assert_string_equal(bytes, "FADI");
}

/* An instance that is listed first and names its neighbour's queue directory, with pickup as its
 * queue manager, keeps no request from the neighbour, even when that has to wait for a connection.
 */
TEST(claimed_queue_directory)
{
    const char *host[4][2] = {
        {"victim", "pickup"}, {"victim", "qmgr"}, {NULL, "qmgr"}, {NULL, "qmgr"}};
    int pipes[2];

    make_host(host);
    members[3] = (struct selection_member){&instances[1], .state = SELECTION_DUPLICATE};
    members[3].duplicate_of = &members[1];
    int qmgr = fixture_socket("victim/public/qmgr", SOCK_STREAM, 5),
        pickup = fixture_socket("victim/public/pickup", SOCK_STREAM, 5);
    for (int connections = 1; connections <= 10; connections += 9) {
        assert_int_equal(pipe2(pipes, O_CLOEXEC | O_NONBLOCK), 0);
        pid_t readers[] = {fixture_reader(qmgr, pipes[1]), fixture_reader(pickup, -1)};
        run(connections);
        assert_read(pipes[0]);
        fixture_kill(readers[0]);
        fixture_kill(readers[1]);
        assert_kick(&kicks.items[0], "pickup", KICK_KICKED, NULL);
        assert_kick(&kicks.items[1], "pickup", KICK_KICKED, NULL);
        assert_kick(&kicks.items[2], "qmgr", KICK_KICKED, NULL);
        assert_kick(&kicks.items[3], "pickup", KICK_DUPLICATE, "same endpoint as /etc/0's");
        assert_ptr_equal(kicks.items[3].duplicate_of, &kicks.items[1]);
        assert_true(kicks.items[3].has_succeeded);
        assert_ptr_equal(kicks.items[7].duplicate_of, &kicks.items[1]);
        assert_true(kicks.has_duplicates);
        fixture_close(pipes, 2);
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

    make_host(host);
    instances[2].application_event_drain_time = 2;
    int qmgr = fixture_socket("victim/public/qmgr", SOCK_STREAM, 5);
    assert_int_equal(link(fixture_path("victim/public/qmgr"), fixture_path("other/public/qmgr")),
                     0);
    utarray_pop_back(targets);
    run(10);
    assert_kick(&kicks.items[0], "qmgr", KICK_UNCONFIRMED, "request not read within 2s");
    for (size_t i = 1; i < 3; i++) {
        assert_kick(&kicks.items[i], "qmgr", KICK_DUPLICATE,
                    "same endpoint as /etc/0's: request not read within 2s");
        assert_false(kicks.items[i].has_succeeded);
    }

    /* over before the others start: the one with a longer limit is sent by itself */
    run(1);
    assert_kick(&kicks.items[0], "qmgr", KICK_UNCONFIRMED, "request not read within 1s");
    assert_kick(&kicks.items[1], "qmgr", KICK_DUPLICATE,
                "same endpoint as /etc/0's: request not read within 1s");
    assert_kick(&kicks.items[2], "qmgr", KICK_UNCONFIRMED, "request not read within 2s");
    close(qmgr);
}

/* The first names its neighbour's queue directory by a link and leads it to one of its own while
 * the neighbour's service, whose listen queue was full, restarts: the neighbour is sent its own
 * request.
 */
TEST(moved_away_while_full)
{
    const char *host[4][2] = {{"link", "qmgr"}, {"victim", "qmgr"}, {NULL, "qmgr"}, {NULL, "qmgr"}};
    int pipes[2];

    make_host(host);
    kicks.is_action = false;
    utarray_pop_back(targets);
    for (int connections = 2; connections <= 10; connections += 8) {
        (void)unlink(fixture_path("link"));
        fixture_link("victim", "link");
        fixture_link("other", "flip");
        int old = fixture_socket("victim/public/qmgr", SOCK_STREAM, 0);
        int fresh = fixture_socket("victim/public/new", SOCK_STREAM, 5);
        int own = fixture_socket("other/public/qmgr", SOCK_STREAM, 5);
        struct endpoint endpoint;
        assert_int_equal(endpoint_open(&endpoint, fixture_path("victim"), "public", "qmgr"),
                         ENDPOINT_SOCKET);
        int filler = endpoint_reach(&endpoint, true);
        descriptors_close(&endpoint.fd);
        assert_int_equal(pipe2(pipes, O_CLOEXEC | O_NONBLOCK), 0);
        pid_t restarting = fork();
        if (restarting == 0) {
            (void)usleep(50000);
            _exit(rename(fixture_path("flip"), fixture_path("link")) +
                  rename(fixture_path("victim/public/new"), fixture_path("victim/public/qmgr")));
        }
        close(old);
        pid_t readers[] = {fixture_reader(fresh, pipes[1]), fixture_reader(own, -1)};
        run(connections);
        assert_read(pipes[0]);
        assert_kick(&kicks.items[0], "qmgr", KICK_KICKED, NULL);
        assert_kick(&kicks.items[1], "qmgr", KICK_KICKED, NULL);
        fixture_kill(readers[0]);
        fixture_kill(readers[1]);
        assert_int_equal(waitpid(restarting, NULL, 0), restarting);
        fixture_close(pipes, 2);
        (void)unlink(fixture_path("victim/public/qmgr"));
        (void)unlink(fixture_path("other/public/qmgr"));
        close(fresh);
        close(own);
        close(filler);
    }
}

/* A model of claims: endpoints are opened in any order, and again after restarts. Whoever shares an
 * outcome last opened what the first one last opened, so that its own endpoint was read. */
TEST(claims)
{
    enum { KICKS = 4, ENDPOINTS = 3, STEPS = 20000 };
    const char *host[4][2] = {
        {"victim", "qmgr"}, {"victim", "qmgr"}, {"victim", "qmgr"}, {"victim", "qmgr"}};
    uint64_t opened[KICKS] = {0}, random = 1;
    size_t duplicates = 0, renewed = 0;
    struct trigger_shared shared = {.control = -1};

    make_host(host);
    utarray_pop_back(targets);
    plan_again();
    for (size_t i = 0; i < KICKS; i++)
        kicks.items[i].trigger->shared = &shared;
    for (size_t step = 0; step < STEPS; step++) {
        random = random * 6364136223846793005U + 1442695040888963407U;
        struct kick *kick = &kicks.items[(random >> 33) % KICKS];
        struct trigger *trigger = kick->trigger;
        const struct endpoint_identity identity = {.inode = 1 + (random >> 40) % ENDPOINTS};

        if (trigger->state != TRIGGER_DONE) { /* it is started, or looks its endpoint up again */
            opened[kick - kicks.items] = identity.inode;
            trigger->outcome = TRIGGER_PENDING;
            trigger->state = TRIGGER_CONNECTING;
            if (!trigger->claim(trigger->context, &identity)) {
                trigger->state = TRIGGER_DONE;
                trigger->outcome = TRIGGER_DUPLICATE;
                duplicates++;
            }
        }
        for (size_t i = 0; i < KICKS; i++) {
            const struct kick *first = kicks.items[i].duplicate_of;

            assert_int_equal(first != NULL, kicks.items[i].trigger->outcome == TRIGGER_DUPLICATE);
            if (first != NULL)
                assert_int_equal(opened[i], opened[first - kicks.items]);
            if (first != NULL)
                assert_int_equal(first->trigger->outcome, TRIGGER_PENDING);
            renewed += kicks.items[i].trigger->state == TRIGGER_IDLE && opened[i] != 0;
        }
    }
    assert_true(duplicates > STEPS / 100 && renewed > STEPS / 100);
}

TEST(check_finds_duplicates)
{
    const char *host[4][2] = {
        {"victim", "qmgr"}, {"victim", "qmgr"}, {NULL, "qmgr"}, {NULL, "qmgr"}};

    make_host(host);
    int qmgr = fixture_socket("victim/public/qmgr", SOCK_STREAM, 5);
    assert_int_equal(kicks_run(&kicks, &selection, NULL), 0);
    assert_int_equal(kicks.items[0].status, KICK_FAILED); /* no master there */
    assert_kick(&kicks.items[2], "qmgr", KICK_DUPLICATE, "same endpoint as /etc/0's: not running");
    assert_int_equal(fcntl(qmgr, F_SETFL, O_NONBLOCK), 0);
    assert_int_equal(accept4(qmgr, NULL, NULL, SOCK_CLOEXEC), -1);
    close(qmgr);
}
