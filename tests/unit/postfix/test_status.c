/* SPDX-License-Identifier: MIT */
/* What else than the queue manager's answer makes the state of an instance. */
#include "fixture.h"
#include "postfix/status.h"
#include <sys/file.h>
#include <sys/prctl.h>
#include <sys/wait.h>

static struct instance instances[2];
static struct selection_member members[2];
static struct selection selection = {.members = members, .member_count = 2};
static struct trigger triggers[2];
static struct kick items[2];
static struct kicks kicks;
static struct master_locks locks = {.limits = &fixture_no_limits};
static int qmgr, pickup;

static void set_value(struct instance *instance, enum parameter parameter, const char *value)
{
    free(instance->values[parameter]);
    instance->values[parameter] = alloc_string(value);
}

/* Two instances in order, each with its own directories; both have answered. */
SETUP(make_instances)
{
    static const char *const names[] = {"a", "b"};

    kicks = (struct kicks){.items = items, .count = 1, .is_probe = true, .locks = &locks};
    for (size_t i = 0; i < 2; i++) {
        instances[i] =
            (struct instance){.config_directory = alloc_string(fixture_directory(names[i])),
                              .enabled = INSTANCE_ENABLED,
                              .running = MASTER_RUNNING};
        members[i] = (struct selection_member){.instance = &instances[i]};
        triggers[i] = (struct trigger){.is_socket = true, .outcome = TRIGGER_KICKED};
        items[i] = (struct kick){.member = &members[i],
                                 .trigger = &triggers[i],
                                 .status = KICK_KICKED,
                                 .class = "public",
                                 .service = "qmgr"};
        set_value(&instances[i], PARAMETER_QUEUE_DIRECTORY, fixture_path(names[i]));
        set_value(&instances[i], PARAMETER_DATA_DIRECTORY, fixture_path(names[i]));
        set_value(&instances[i], PARAMETER_QUEUE_SERVICE_NAME, "qmgr");
        set_value(&instances[i], PARAMETER_PICKUP_SERVICE_NAME, "pickup");
        set_value(&instances[i], PARAMETER_QUEUE_MINFREE, "0");
        set_value(&instances[i], PARAMETER_MESSAGE_SIZE_LIMIT, "1");
    }
    (void)fixture_file("a/master.cf",
                       "qmgr unix n - n 300 1 qmgr\npickup unix n - n 60 1 pickup\n");
    qmgr = fixture_socket("a/public/qmgr", SOCK_STREAM, 5);
    pickup = fixture_socket("a/public/pickup", SOCK_STREAM, 5);
}

TEARDOWN(free_instances)
{
    for (size_t i = 0; i < 2; i++)
        instance_free(&instances[i]);
    master_locks_free(&locks);
    close(qmgr);
    close(pickup);
}

static void assert_states(enum status_state first, enum status_state second, const char *reason)
{
    const enum status_state expected[] = {first, second};
    struct status *statuses = statuses_find(&kicks);

    for (size_t i = 0; i < kicks.count; i++) {
        assert_int_equal(statuses[i].state, expected[i]);
        assert_int_equal(statuses[i].has_succeeded, expected[i] == STATUS_OK);
    }
    const char *found = statuses[kicks.count - 1].reason;
    if (reason == NULL)
        assert_null(found);
    else
        assert_non_null(strstr(found, reason));
    statuses_free(statuses, kicks.count);
}

static void assert_state(enum status_state state, const char *reason)
{
    assert_states(state, state, reason);
}

TEST(in_order)
{
    assert_state(STATUS_OK, NULL);
}

static void restart(void)
{
    master_locks_free(&locks);
}

/* A socket that was left behind, or replaced, counts if the queue manager's is seen to have a
 * listener; one that is missing counts, and a FIFO is left alone. */
TEST(no_pickup)
{
    close(pickup);
    pickup = -1;
    assert_state(STATUS_NO_PICKUP, "public/pickup: no process is listening");
    close(qmgr);
    qmgr = -1;
    assert_state(STATUS_OK, NULL);
    assert_int_equal(unlink(fixture_path("a/public/qmgr")), 0);
    (void)fixture_fifo("a/public/qmgr");
    assert_state(STATUS_OK, NULL);
    assert_int_equal(unlink(fixture_path("a/public/pickup")), 0);
    assert_state(STATUS_NO_PICKUP, "public/pickup: no process is listening");
    (void)fixture_fifo("a/public/pickup");
    assert_state(STATUS_OK, NULL);
    set_value(&instances[0], PARAMETER_PICKUP_SERVICE_NAME, "mine"); /* not in master.cf */
    assert_state(STATUS_OK, NULL);
}

TEST(no_room)
{
    set_value(&instances[0], PARAMETER_MESSAGE_SIZE_LIMIT, "1000000000000000");
    assert_state(STATUS_FULL, "mail is refused: ");
    set_value(&instances[0], PARAMETER_MESSAGE_SIZE_LIMIT, "10 000");
    assert_state(STATUS_OK, NULL);
    set_value(&instances[0], PARAMETER_QUEUE_MINFREE, "1000000000000000");
    assert_state(STATUS_FULL, "needs more than 1000000000000000");
}

/* Returns a process that holds these files as master(8) does, and the end of a pipe that ends it.
 */
static pid_t hold(const char *pid_file, const char *lock_file)
{
    int ready[2];
    char byte;

    (void)mkdir(fixture_path("a/pid"), 0755);
    (void)fixture_file(pid_file, "");
    (void)fixture_file(lock_file, "");
    assert_int_equal(pipe(ready), 0);
    pid_t child = fork();
    if (child == 0) {
        int files[] = {open(fixture_path(pid_file), O_RDWR), open(fixture_path(lock_file), O_RDWR)};
        (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
        _exit(flock(files[0], LOCK_EX) == 0 && flock(files[1], LOCK_EX) == 0 &&
                      write(ready[1], "", 1) == 1
                  ? pause()
                  : 1);
    }
    assert_int_equal(read(ready[0], &byte, 1), 1);
    close(ready[0]);
    close(ready[1]);
    return child;
}

TEST(master_is_stopped_by_a_signal)
{
    pid_t child = hold("a/pid/master.pid", "a/master.lock");

    assert_state(STATUS_OK, NULL);
    assert_int_equal(kill(child, SIGSTOP), 0);
    assert_int_equal(waitpid(child, NULL, WUNTRACED), child);
    assert_state(STATUS_STOPPED, "master(8) is stopped");
    items[0].status = KICK_UNCONFIRMED;
    triggers[0].outcome = TRIGGER_NOT_READ;
    items[0].reason = alloc_string("not read");
    assert_state(STATUS_STOPPED, "not read");
    free(items[0].reason);
    items[0].reason = NULL;
    fixture_kill(child);
}

/* Of two instances with one queue directory, only the owner can run. */
TEST(shared_queue)
{
    kicks.count = 2;
    kicks.has_duplicates = true;
    set_value(&instances[1], PARAMETER_QUEUE_DIRECTORY, fixture_path("a"));
    items[1].status = KICK_DUPLICATE;
    items[1].duplicate_of = &items[0];
    assert_states(STATUS_OK, STATUS_OK, NULL); /* in doubt */

    pid_t child = hold("a/pid/master.pid", "a/master.lock");
    restart();
    assert_states(STATUS_OK, STATUS_NOT_RUNNING, "its queue directory is in use by ");
    assert_int_equal(instances[0].running, MASTER_RUNNING);
    assert_int_equal(instances[1].running, MASTER_STOPPED);
    fixture_kill(child);

    child = hold("a/pid/master.pid", "b/master.lock"); /* the second one has started it */
    restart();
    struct status *statuses = statuses_find(&kicks);
    assert_int_equal(statuses[0].state, STATUS_NOT_RUNNING);
    assert_int_equal(statuses[1].state, STATUS_OK);
    statuses_free(statuses, 2);
    fixture_kill(child);
}

/* The owner is found even if it is not selected. */
TEST(shared_queue_of_one_not_selected)
{
    pid_t child = hold("a/pid/master.pid", "a/master.lock");

    set_value(&instances[1], PARAMETER_QUEUE_DIRECTORY, fixture_path("a"));
    selection = (struct selection){
        .host = {.instances = instances, .count = 2}, .members = &members[1], .member_count = 1};
    kicks.items = &items[1];
    assert_state(STATUS_OK, NULL); /* without conflicts, the others are not looked at */
    instances[0].is_default = true;
    host_find_conflicts(&selection.host);
    assert_non_null(instances[1].conflicts);
    instances[1].running = MASTER_UNKNOWN;
    selection_find_running(&selection, kicks.locks);
    assert_int_equal(instances[1].running, MASTER_STOPPED);
    assert_ptr_equal(instances[1].owner, &instances[0]);
    assert_state(STATUS_NOT_RUNNING, "its queue directory is in use by ");
    host_find_running(&selection.host, &instances[0], kicks.locks);
    assert_int_equal(instances[0].running, MASTER_RUNNING);
    fixture_kill(child);
    utarray_free(selection.host.conflicts);
    selection = (struct selection){.members = members, .member_count = 2};
}
