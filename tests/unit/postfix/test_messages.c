/* SPDX-License-Identifier: MIT */
/* Messages of three instances, whose postqueue and postsuper are scripts: the queue is a file. */
#include "fixture.h"
#include "postfix/messages.h"

enum { INSTANCES = 3 };

static struct instance instances[INSTANCES];
static struct selection_member members[INSTANCES];
static struct selection selection;
static struct messages messages;
static UT_array *names;
static UT_string listed;

/* Queue IDs. */
#define ONE "111111AAAA"
#define TWO "222222BBBB"
#define THREE "333333CCCC"

#define MESSAGE(queue, id)                                                                         \
    "{\"queue_name\": \"" queue "\", \"queue_id\": \"" id "\", \"arrival_time\": 1, "              \
    "\"message_size\": 1, \"sender\": \"s\", \"recipients\": []}\n"

/* What postsuper writes for each verb. */
#define REPORT "echo \"postsuper: Deleted: $n messages\" >&2"

static void make_instance(size_t index, const char *name)
{
    struct instance *instance = &instances[index];

    *instance = (struct instance){.config_directory = alloc_string(fixture_directory(name)),
                                  .is_default = index == 0,
                                  .enabled = INSTANCE_ENABLED,
                                  .running = MASTER_RUNNING};
    instance->values[PARAMETER_MULTI_INSTANCE_NAME] = alloc_string(index == 0 ? "" : name);
    instance->values[PARAMETER_QUEUE_DIRECTORY] = alloc_string(instance->config_directory);
    instance->values[PARAMETER_DAEMON_DIRECTORY] = alloc_string("/daemons");
    members[index] = (struct selection_member){.instance = instance, .state = SELECTION_SERVE};
}

SETUP(make_selection)
{
    make_instance(0, "default");
    make_instance(1, "postfix-a");
    make_instance(2, "postfix-b");
    utarray_new(names, &strings_icd);
    selection = (struct selection){.host = {.instances = instances, .count = INSTANCES},
                                   .members = members,
                                   .member_count = INSTANCES,
                                   .criteria = {.names = names}};
    messages = (struct messages){.verb = MESSAGE_DELETE,
                                 .filter = MESSAGE_FILTER_ALL,
                                 .directory = fixture_root,
                                 .daemon_directory = "/daemons",
                                 .limits = &fixture_no_limits};
    utstring_init(&listed);
    fixture_script("postqueue", "cat \"$MAIL_CONFIG\"/queue");
    /* what it deletes, it takes out of the file; what is in "busy", it does not find */
    fixture_script("postsuper",
                   "n=0; cd \"$MAIL_CONFIG\"; echo \"$*\" >asked\n"
                   "while read -r id; do echo \"$id\" >>asked; grep -q \"$id\" busy 2>/dev/null "
                   "&& continue; grep -q \"$id\" queue || continue; sed -i \"/$id/d\" queue; "
                   "n=$((n+1)); echo \"postsuper: $id: removed\" >&2; done\n" REPORT);
}

TEARDOWN(free_selection)
{
    messages_free(&messages);
    utarray_free(names);
    utstring_done(&listed);
    for (size_t i = 0; i < INSTANCES; i++)
        instance_free(&instances[i]);
}

/* Writes the queue of an instance. */
static void queue(size_t index, const char *lines)
{
    char *name = alloc_format("%s/queue", strrchr(instances[index].config_directory, '/') + 1);

    (void)fixture_file(name, lines);
    free(name);
}

static void queues(const char *first, const char *second, const char *third)
{
    queue(0, first);
    queue(1, second);
    queue(2, third);
}

/* Compares what was found or done in a part: "ID ID; done, gone: reason". */
static void assert_part(size_t index, const char *expected)
{
    const struct messages_part *part = &messages.parts[index];
    UT_string text;

    utstring_init(&text);
    for (size_t i = 0; i < utarray_len(part->ids); i++)
        utstring_printf(&text, "%s ", (const char *)utarray_eltptr(part->ids, i));
    utstring_printf(&text, "%zu %zu: %s", part->done, part->gone,
                    part->reason == NULL ? "" : part->reason);
    fixture_assert_text(utstring_body(&text), "%s", expected);
    utstring_done(&text);
}

static void find(void)
{
    messages_plan(&messages, &selection);
    messages_find(&messages);
}

static void note_found(void *context, const struct messages_part *part,
                       const struct message *message)
{
    assert_ptr_equal(context, &listed);
    utstring_printf(&listed, "%zu:%s ", (size_t)(part - messages.parts), message->id);
}

static void list(void)
{
    messages.verb = MESSAGE_LIST;
    messages.found = note_found;
    messages.context = &listed;
}

TEST(what_is_found)
{
    queues(MESSAGE("hold", TWO) MESSAGE("active", ONE) MESSAGE("deferred", ONE), "",
           MESSAGE("maildrop", THREE));
    find();
    assert_part(0, ONE " " TWO " 0 0: ");
    assert_part(1, "0 0: ");
    assert_part(2, THREE " 0 0: ");
    assert_int_equal(messages_total(&messages), 3);
    assert_true(messages_succeeded(&messages));
}

TEST(what_passes_the_filter)
{
    queues(MESSAGE("hold", TWO) MESSAGE("active", ONE), MESSAGE("hold", ONE), "");
    messages.filter.queue = "hold";
    find();
    assert_part(0, TWO " 0 0: ");
    assert_part(1, ONE " 0 0: ");
}

/* In the order of the instances, each as it is listed. */
TEST(what_is_listed)
{
    queues(MESSAGE("hold", TWO) MESSAGE("active", ONE), MESSAGE("hold", ONE),
           MESSAGE("maildrop", THREE));
    list();
    find();
    assert_string_equal(utstring_body(&listed), "0:" TWO " 0:" ONE " 1:" ONE " 2:" THREE " ");
}

/* A search that fails finds nothing: what was found so far is not acted on. */
TEST(searches_that_fail)
{
    static const struct {
        const char *script, *reason;
    } cases[] = {
        {"echo 'postqueue: fatal: Connect to the mail system: x' >&2; exit 69",
         "postqueue: fatal: Connect to the mail system: x"},
        {"cat \"$MAIL_CONFIG/queue\"; exit 1", "exit status 1"},
        {"cat \"$MAIL_CONFIG/queue\"; kill -KILL $$", "killed by signal 9 (Killed)"},
        {"cat \"$MAIL_CONFIG/queue\"; printf '{\"queue_name\":'",
         "postqueue -j: the last line is not complete"},
        {"cat \"$MAIL_CONFIG/queue\"; echo x",
         "postqueue -j, line 2: not JSON: '[' or '{' expected near 'x'"},
        {"echo '{\"queue_name\": \"hold\", \"queue_id\": \"ALL\", \"sender\": \"\", "
         "\"arrival_time\": 1, \"message_size\": 1}'",
         "postqueue -j, line 1: queue_id is missing or invalid"},
        {"cat \"$MAIL_CONFIG/queue\"; head -c 17000000 /dev/zero; echo",
         "postqueue -j: a line of more than 16 MiB"},
    };

    for (size_t i = 0; i < COUNT(cases); i++) {
        char *expected = alloc_format("0 0: %s", cases[i].reason);
        char *script =
            alloc_format("case $MAIL_CONFIG in *-a) ;; *) exit 0 ;; esac; %s", cases[i].script);

        queues("", MESSAGE("hold", ONE), "");
        fixture_script("postqueue", script);
        find();
        assert_part(1, expected);
        assert_part(2, "0 0: ");
        assert_false(messages_succeeded(&messages));
        messages_free(&messages);
        messages = (struct messages){.verb = MESSAGE_DELETE,
                                     .filter = MESSAGE_FILTER_ALL,
                                     .directory = fixture_root,
                                     .daemon_directory = "/daemons",
                                     .limits = &fixture_no_limits};
        free(expected);
        free(script);
    }
}

/* Names messages as on the command line, and finds them. */
static void find_named(const char *const *words)
{
    messages.is_named = true;
    messages_plan(&messages, &selection);
    for (; *words != NULL; words++) {
        char id[MESSAGE_ID_SIZE], *instance;

        assert_true(message_parse_operand(*words, strlen(*words), &instance, id));
        messages_name(&messages, instance, id);
        free(instance);
    }
    messages_find(&messages);
}

#define FIND(...) find_named((const char *const[]){__VA_ARGS__, NULL})

TEST(an_id_is_looked_up)
{
    queues(MESSAGE("hold", ONE), MESSAGE("hold", TWO) MESSAGE("hold", THREE), "");
    FIND(TWO, ONE, ONE);
    assert_part(0, ONE " 0 0: ");
    assert_part(1, TWO " 0 0: ");
    assert_true(messages_succeeded(&messages));
}

TEST(an_id_in_several_instances)
{
    queues(MESSAGE("hold", ONE), MESSAGE("hold", ONE) MESSAGE("hold", TWO), "");
    FIND(ONE, TWO, "postfix-a/" ONE);
    assert_part(0, "0 0: ");
    assert_part(1, ONE " " TWO " 0 0: ");
    assert_false(messages_succeeded(&messages));
    char *expected = fixture_fill(ONE ": in several instances: @/default, postfix-a: "
                                      "specify instance/" ONE "\n");
    fixture_assert_lines(messages.mistakes, expected);
    free(expected);
}

/* Which instance has it? */
TEST(an_id_in_several_instances_is_listed)
{
    queues(MESSAGE("hold", ONE), MESSAGE("hold", ONE) MESSAGE("hold", TWO), "");
    list();
    FIND(ONE);
    assert_string_equal(utstring_body(&listed), "0:" ONE " 1:" ONE " ");
    assert_true(messages_succeeded(&messages));
}

TEST(an_id_in_no_instance)
{
    queues(MESSAGE("hold", ONE), MESSAGE("hold", TWO), "");
    FIND(THREE, "a/" ONE, "-/" ONE);
    assert_part(0, ONE " 0 0: ");
    assert_part(1, "0 0: ");
    fixture_assert_lines(messages.mistakes, THREE ": no such message\n"
                                                  "postfix-a/" ONE ": no such message\n");
}

TEST(an_id_that_may_be_where_the_search_failed)
{
    queues(MESSAGE("hold", ONE), "x\n", "");
    FIND(THREE, ONE, "a/" TWO);
    assert_part(0, ONE " 0 0: ");
    fixture_assert_lines(messages.mistakes,
                         THREE ": no such message where it could be looked for\n");
}

/* Only the instances in question are searched. */
TEST(instances_of_ids)
{
    queues("x\n", MESSAGE("hold", ONE), MESSAGE("hold", ONE));
    instances[2].values[PARAMETER_MULTI_INSTANCE_NAME][7] = '-'; /* another postfix-... */
    FIND("postfix-a/" ONE, "no/" ONE, "postfix-?/" ONE);
    assert_part(0, "0 0: ");
    assert_part(1, ONE " 0 0: ");
    assert_part(2, "0 0: ");
    assert_false(messages.parts[0].is_wanted);
    fixture_assert_lines(messages.mistakes,
                         "no/" ONE ": no such instance is selected\n"
                         "postfix-?/" ONE ": several instances match: specify the directory\n");
}

/* A list without messages names none. */
TEST(no_id)
{
    queues(MESSAGE("hold", ONE), "x\n", "");
    FIND(NULL);
    assert_part(0, "0 0: ");
    assert_part(1, "0 0: ");
    assert_true(messages_succeeded(&messages));
}

/* The filters narrow what is named. */
TEST(an_id_that_does_not_pass)
{
    queues(MESSAGE("hold", ONE), "", "");
    messages.filter.queue = "deferred";
    FIND(ONE);
    assert_part(0, "0 0: ");
    assert_true(messages_succeeded(&messages));
}

TEST(held_mail_is_requeued_only_when_asked_for)
{
    queues(MESSAGE("hold", ONE) MESSAGE("deferred", TWO), MESSAGE("hold", ONE), "");
    messages.verb = MESSAGE_REQUEUE;
    find();
    assert_part(0, TWO " 0 0: ");
    assert_part(1, "0 0: ");
    messages.filter.queue = "hold";
    messages_find(&messages);
    assert_part(0, ONE " " TWO " 0 0: ");
    messages_free(&messages);
}

TEST(held_mail_that_is_named_is_requeued)
{
    queues(MESSAGE("hold", ONE), "", "");
    messages.verb = MESSAGE_REQUEUE;
    FIND(ONE);
    assert_part(0, ONE " 0 0: ");
}

TEST(mail_in_maildrop_cannot_be_held)
{
    queues(MESSAGE("maildrop", ONE) MESSAGE("hold", TWO), "", "");
    messages.verb = MESSAGE_HOLD;
    FIND(ONE, TWO);
    assert_part(0, "0 0: ");
    fixture_assert_lines(messages.mistakes, ONE ": mail in maildrop cannot be held\n");
}

static void assert_asked(size_t index, const char *expected)
{
    char *path = alloc_format("%s/asked", instances[index].config_directory), text[256] = "";
    int fd = open(path, O_RDONLY | O_CLOEXEC);

    if (fd >= 0) {
        assert_true(read(fd, text, sizeof(text) - 1) >= 0);
        close(fd);
    }
    assert_string_equal(text, expected);
    free(path);
}

TEST(what_is_done)
{
    queues(MESSAGE("hold", TWO) MESSAGE("active", ONE), "", MESSAGE("active", ONE));
    find();
    messages_act(&messages);
    assert_part(0, ONE " " TWO " 2 0: ");
    assert_part(1, "0 0: ");
    assert_part(2, ONE " 1 0: ");
    assert_asked(0, "-d -\n" ONE "\n" TWO "\n");
    assert_asked(1, "");
    assert_true(messages_succeeded(&messages));
}

/* It leaves the queue after it was found. */
TEST(what_is_gone)
{
    queues(MESSAGE("hold", TWO) MESSAGE("active", ONE), "", "");
    find();
    queue(0, MESSAGE("hold", TWO) MESSAGE("active", THREE));
    messages_act(&messages);
    assert_part(0, ONE " " TWO " 1 1: ");
    assert_true(messages_succeeded(&messages));
}

TEST(what_is_left)
{
    queues(MESSAGE("hold", TWO) MESSAGE("active", ONE) MESSAGE("hold", THREE), "", "");
    find();
    queue(0, MESSAGE("hold", TWO) MESSAGE("active", ONE) MESSAGE("deferred", ONE));
    (void)fixture_file("default/busy", ONE);
    messages_act(&messages);
    assert_part(0, ONE " " TWO " " THREE " 1 1: only 1 of 3 messages were deleted");
    assert_false(messages_succeeded(&messages));
}

/* Meanwhile somebody else has done it. */
TEST(what_is_in_the_wanted_state_by_then)
{
    queues(MESSAGE("active", ONE), "", "");
    messages.verb = MESSAGE_HOLD;
    fixture_script("postsuper", "echo 'postsuper: Placed on hold: 0 messages' >&2");
    find();
    queue(0, MESSAGE("hold", ONE));
    messages_act(&messages);
    assert_part(0, ONE " 0 1: ");
    assert_true(messages_succeeded(&messages));
}

/* Only its own report counts, and only if it succeeded. */
TEST(acts_that_fail)
{
    static const struct {
        const char *script, *expected;
    } cases[] = {
        {"echo 'postsuper: fatal: use of this command is reserved for the superuser' >&2; exit 1",
         "0 0: postsuper: fatal: use of this command is reserved for the superuser"},
        {"echo 'postsuper: warning: x: postsuper: Deleted: 1 message' >&2",
         "0 0: postsuper(1) has not reported how many messages it found"},
        {"echo 'postsuper: Deleted: 1 message'",
         "0 0: postsuper(1) has not reported how many messages it found"},
        {"echo 'postsuper: Requeued: 1 message' >&2",
         "0 0: postsuper(1) has not reported how many messages it found"},
        {"echo 'postsuper: Deleted: 2 messages' >&2", "1 0: postsuper(1) reports 2 messages of 1"},
        {"echo 'postsuper: Deleted: 1 message' >&2; kill -TERM $$",
         "1 0: killed by signal 15 (Terminated)"},
        {"echo 'postsuper: Deleted: 0 messages' >&2; echo x >\"$MAIL_CONFIG\"/queue",
         "0 0: postqueue -j, line 1: not JSON: '[' or '{' expected near 'x'"},
    };

    for (size_t i = 0; i < COUNT(cases); i++) {
        char *expected = alloc_format(ONE " %s", cases[i].expected);

        queues(MESSAGE("active", ONE), "", "");
        fixture_script("postsuper", cases[i].script);
        find();
        messages_act(&messages);
        assert_part(0, expected);
        assert_false(messages_succeeded(&messages));
        free(expected);
        messages_free(&messages);
        messages = (struct messages){.verb = MESSAGE_DELETE,
                                     .filter = MESSAGE_FILTER_ALL,
                                     .directory = fixture_root,
                                     .daemon_directory = "/daemons",
                                     .limits = &fixture_no_limits};
    }
}

TEST(expire_before_postfix_3_5)
{
    queues(MESSAGE("active", ONE), "", "");
    fixture_script("postsuper", "echo \"postsuper: invalid option -- 'e'\" >&2\n"
                                "echo 'postsuper: fatal: usage: postsuper [-c config_dir]' >&2; "
                                "exit 1");
    messages.verb = MESSAGE_EXPIRE;
    find();
    messages_act(&messages);
    assert_part(0, ONE " 0 0: postsuper(1) has no -e: expire needs Postfix 3.5 or later");
}

/* What postqueue(1) would run is then another's program. */
TEST(another_daemon_directory)
{
    static const enum master_state states[] = {MASTER_RUNNING, MASTER_STOPPED, MASTER_UNKNOWN};

    queues(MESSAGE("active", ONE), MESSAGE("active", ONE), MESSAGE("active", ONE));
    for (size_t i = 0; i < INSTANCES; i++) {
        free(instances[i].values[PARAMETER_DAEMON_DIRECTORY]);
        instances[i].values[PARAMETER_DAEMON_DIRECTORY] = alloc_string("/other");
        instances[i].running = states[i];
    }
    list();
    find();
    assert_part(0, "0 0: ");
    for (size_t i = 1; i < INSTANCES; i++)
        assert_part(i, "0 0: not running, and postqueue(1) would run showq(8) from its own "
                       "daemon_directory /other");
    assert_string_equal(utstring_body(&listed), "0:" ONE " ");
}

/* By any path. */
TEST(a_shared_queue_directory)
{
    free(instances[2].values[PARAMETER_QUEUE_DIRECTORY]);
    fixture_link("postfix-a", "link");
    instances[2].values[PARAMETER_QUEUE_DIRECTORY] = alloc_string(fixture_path("link"));
    queues("", MESSAGE("active", ONE), "");
    selection.member_count = 2; /* the other one is not selected */
    find();
    assert_part(0, "0 0: ");
    char *expected = fixture_fill("0 0: refused: @/postfix-b has the same queue_directory");
    assert_part(1, expected);
    free(expected);
    messages_free(&messages);
    messages = (struct messages){.filter = MESSAGE_FILTER_ALL,
                                 .directory = fixture_root,
                                 .daemon_directory = "/daemons",
                                 .limits = &fixture_no_limits};
    list();
    find();
    assert_string_equal(utstring_body(&listed), "1:" ONE " ");
}

TEST(instances_that_are_not_served)
{
    queues(MESSAGE("active", ONE), "", "");
    instances[1].error = alloc_string("it is broken");
    members[1].state = SELECTION_FAILED;
    members[2].state = SELECTION_DUPLICATE;
    find();
    assert_part(1, "0 0: it is broken");
    assert_part(2, "0 0: listed twice");
    assert_int_equal(messages_status(&messages.parts[0]), MESSAGES_OK);
    assert_int_equal(messages_status(&messages.parts[1]), MESSAGES_FAILED);
    assert_int_equal(messages_status(&messages.parts[2]), MESSAGES_DUPLICATE);
    assert_false(messages_succeeded(&messages));
}

/* It need not be there, but what is there has to be done. */
TEST(an_instance_that_is_not_enabled)
{
    queues("", "x\n", "");
    instances[1].enabled = INSTANCE_DISABLED;
    find();
    assert_int_equal(messages_status(&messages.parts[1]), MESSAGES_DISABLED);
    assert_true(messages_succeeded(&messages));
    messages_free(&messages);
    strings_append(names, "a");
    messages.filter = MESSAGE_FILTER_ALL;
    messages.directory = fixture_root;
    messages.daemon_directory = "/daemons";
    messages.limits = &fixture_no_limits;
    messages.verb = MESSAGE_DELETE;
    find();
    assert_int_equal(messages_status(&messages.parts[1]), MESSAGES_FAILED);
}

TEST(an_act_that_fails_where_it_is_not_enabled)
{
    queues("", MESSAGE("active", ONE), "");
    instances[1].enabled = INSTANCE_DISABLED;
    fixture_script("postsuper", "exit 1");
    find();
    messages_act(&messages);
    assert_int_equal(messages_status(&messages.parts[1]), MESSAGES_FAILED);
}

/* A run whose time is over does nothing more. */
TEST(no_time_left)
{
    const struct limits limits = {.end = clock_now(), .seconds = 1};

    queues(MESSAGE("active", ONE), MESSAGE("active", ONE), MESSAGE("active", ONE));
    find();
    messages.limits = &limits;
    messages_act(&messages);
    assert_part(0, ONE " 0 0: not started within 1s");
    assert_asked(0, "");
}
