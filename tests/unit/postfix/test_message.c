/* SPDX-License-Identifier: MIT */
/* Messages of three instances, whose postqueue and postsuper are scripts: the queue is a file; and
 * operands. */
#include "fixture.h"
#include "postfix/message.h"
#include <sys/file.h>

enum { INSTANCES = 3 };

static struct instance instances[INSTANCES];
static struct selection_member members[INSTANCES];
static struct selection selection;
static struct messages messages;
static struct limits limits = {.end = CLOCK_NEVER};
static UT_string listed;
static struct master_locks locks = {.limits = &fixture_no_limits};

/* Queue IDs. */
#define ONE "111111AAAA"
#define TWO "222222BBBB"
#define THREE "333333CCCC"

/* A line of postqueue, with more members. */
#define OBJECT(queue, id, size, sender, more)                                                      \
    "{\"queue_name\": \"" queue "\", \"queue_id\": \"" id "\", \"arrival_time\": 1, "              \
    "\"message_size\": " size ", \"sender\": \"" sender "\", " more "}\n"
#define NOBODY "\"recipients\": []"
#define MESSAGE(queue, id) OBJECT(queue, id, "1", "s", NOBODY)

#define LINE(members)                                                                              \
    "{\"queue_name\": \"deferred\", \"queue_id\": \"4F2A1B3C5D\", \"arrival_time\": 1700000000, "  \
    "\"message_size\": 2048, \"sender\": \"Anna@example.com\"" members "}"
#define RECIPIENTS                                                                                 \
    ", \"recipients\": [{\"address\": \"b@One.example\", \"delay_reason\": \"Connection "          \
    "refused\"}, "                                                                                 \
    "{\"address\": \"c@two.example\"}, {\"address\": \"d@one.example\"}]"

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

/* Forgets what was found. */
static void restart(void)
{
    messages_free(&messages);
    messages = (struct messages){.selection = &selection,
                                 .verb = MESSAGE_DELETE,
                                 .filter = MESSAGE_FILTER_ALL,
                                 .directory = fixture_root,
                                 .daemon_directory = "/daemons",
                                 .limits = &limits,
                                 .locks = &locks,
                                 .maximum = 1000};
    utarray_new(messages.refusals, &strings_icd);
}

SETUP(make_selection)
{
    make_instance(0, "default");
    make_instance(1, "postfix-a");
    make_instance(2, "postfix-b");
    selection = (struct selection){.host = {.instances = instances, .count = INSTANCES},
                                   .members = members,
                                   .member_count = INSTANCES};
    restart();
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
    master_locks_free(&locks);
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
        utstring_printf(&text, "%s ", ((struct message_id *)utarray_eltptr(part->ids, i))->text);
    utstring_printf(&text, "%zu %zu: %s", part->done, part->gone,
                    part->reason == NULL ? "" : part->reason);
    fixture_assert_text(utstring_body(&text), "%s", expected);
    utstring_done(&text);
}

static void assert_parts(const char *first, const char *second, const char *third)
{
    assert_part(0, first);
    assert_part(1, second);
    assert_part(2, third);
}

static void find(void)
{
    messages_find(&messages);
}

static void note_found(void *context, const struct message *message)
{
    assert_ptr_equal(context, &listed);
    utstring_printf(&listed, "%zu:%s ", (size_t)(message->part - messages.parts), message->id);
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
    assert_parts(ONE " " TWO " 0 0: ", "0 0: ", THREE " 0 0: ");
    assert_int_equal(messages.total, 3);
    assert_true(messages.is_well);
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
        assert_false(messages.is_well);
        restart();
        free(expected);
        free(script);
    }
}

/* Names messages as on the command line, and finds them. */
static void find_named(const char *const *words)
{
    messages.is_named = true;
    for (; *words != NULL; words++)
        assert_int_equal(messages_name(&messages, *words, strlen(*words)), MESSAGE_OPERAND_ID);
    messages_find(&messages);
}

#define FIND(...) find_named((const char *const[]){__VA_ARGS__, NULL})

/* Compares what was found and is wrong, and starts anew. */
static void expect(const char *first, const char *second, const char *third, const char *refusals)
{
    char *expected = fixture_fill(refusals);

    assert_parts(first, second, third);
    fixture_assert_lines(messages.refusals, expected);
    free(expected);
    restart();
}

#define NOTHING "0 0: "
#define FOUND(ids) ids " 0 0: "

TEST(messages_that_are_named)
{
    queues(MESSAGE("hold", ONE), MESSAGE("hold", TWO) MESSAGE("hold", THREE), "");
    FIND(TWO, ONE, ONE);
    assert_true(messages.is_well);
    expect(FOUND(ONE), FOUND(TWO), NOTHING, "");
    FIND(THREE, "a/" ONE, "-/" ONE);
    expect(FOUND(ONE), FOUND(THREE), NOTHING, "postfix-a/" ONE ": no such message\n");
    FIND("444444DDDD");
    expect(NOTHING, NOTHING, NOTHING, "444444DDDD: no such message\n");
    messages.filter.patterns[MESSAGE_BY_QUEUE] = "deferred"; /* the filters narrow what is named */
    FIND(ONE);
    assert_true(messages.is_well);
    expect(NOTHING, NOTHING, NOTHING, "");
    messages.verb = MESSAGE_REQUEUE; /* held mail, too */
    FIND(ONE);
    expect(FOUND(ONE), NOTHING, NOTHING, "");
    queues(MESSAGE("hold", ONE), MESSAGE("hold", ONE) MESSAGE("hold", TWO), "");
    FIND(ONE, TWO, "postfix-a/" ONE);
    assert_false(messages.is_well);
    expect(NOTHING, FOUND(ONE " " TWO), NOTHING,
           ONE ": in several instances: @/default, postfix-a: specify instance/" ONE "\n");
    queues(MESSAGE("maildrop", ONE) MESSAGE("hold", TWO), "", "");
    messages.verb = MESSAGE_HOLD;
    FIND(ONE, TWO);
    expect(NOTHING, NOTHING, NOTHING, ONE ": mail in maildrop cannot be held\n");
}

TEST(messages_that_may_be_where_the_search_failed)
{
    queues(MESSAGE("hold", ONE), "x\n", "");
    FIND(THREE, ONE, "a/" TWO);
    expect(FOUND(ONE), NOTHING "postqueue -j, line 1: not JSON: '[' or '{' expected near 'x'",
           NOTHING, THREE ": no such message where it could be looked for\n");
    FIND(NULL); /* names none, and searches nothing */
    assert_true(messages.is_well);
    expect(NOTHING, NOTHING, NOTHING, "");
}

/* Which instance has it? */
TEST(an_id_in_several_instances_is_listed)
{
    queues(MESSAGE("hold", ONE), MESSAGE("hold", ONE) MESSAGE("hold", TWO), "");
    list();
    FIND(ONE);
    assert_string_equal(utstring_body(&listed), "0:" ONE " 1:" ONE " ");
    assert_true(messages.is_well);
}

/* Only the instances in question are searched. */
TEST(instances_of_ids)
{
    queues("x\n", MESSAGE("hold", ONE), MESSAGE("hold", ONE));
    instances[2].values[PARAMETER_MULTI_INSTANCE_NAME][7] = '-'; /* another postfix-... */
    FIND("postfix-a/" ONE, "no/" ONE, "postfix-?/" ONE);
    assert_parts("0 0: ", ONE " 0 0: ", "0 0: ");
    assert_false(messages.parts[0].is_wanted);
    fixture_assert_lines(messages.refusals,
                         "no/" ONE ": no such instance is selected\n"
                         "postfix-?/" ONE ": several instances match: specify the directory\n");
}

TEST(held_mail_is_requeued_only_when_asked_for)
{
    queues(MESSAGE("hold", ONE) MESSAGE("deferred", TWO), MESSAGE("hold", ONE), "");
    messages.verb = MESSAGE_REQUEUE;
    find();
    assert_parts(TWO " 0 0: ", "0 0: ", "0 0: ");
    restart();
    messages.verb = MESSAGE_REQUEUE;
    messages.filter.patterns[MESSAGE_BY_QUEUE] = "hold";
    find();
    assert_parts(ONE " 0 0: ", ONE " 0 0: ", "0 0: ");
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
    assert_parts(ONE " " TWO " 2 0: ", "0 0: ", ONE " 1 0: ");
    assert_asked(0, "-d -\n" ONE "\n" TWO "\n");
    assert_asked(1, "");
    assert_true(messages.is_well);
}

/* It leaves the queue after it was found. */
TEST(what_is_gone)
{
    queues(MESSAGE("hold", TWO) MESSAGE("active", ONE), "", "");
    find();
    queue(0, MESSAGE("hold", TWO) MESSAGE("active", THREE));
    messages_act(&messages);
    assert_part(0, ONE " " TWO " 1 1: ");
    assert_true(messages.is_well);
}

TEST(what_is_left)
{
    queues(MESSAGE("hold", TWO) MESSAGE("active", ONE) MESSAGE("hold", THREE), "", "");
    find();
    queue(0, MESSAGE("hold", TWO) MESSAGE("active", ONE) MESSAGE("deferred", ONE));
    (void)fixture_file("default/busy", ONE);
    messages_act(&messages);
    assert_part(0, ONE " " TWO " " THREE " 1 1: only 1 of 3 messages were deleted");
    assert_false(messages.is_well);
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
    assert_true(messages.is_well);
}

/* Only its own report counts, and only if it succeeded. */
TEST(acts_that_fail)
{
    static const struct {
        const char *script, *expected;
    } cases[] = {
        {"echo 'postsuper: fatal: use of this command is reserved for the superuser' >&2; exit 1",
         "0 0: postsuper: fatal: use of this command is reserved for the superuser; it is unknown "
         "how "
         "many messages were deleted"},
        {"echo 'postsuper: Deleted: 1 message'",
         "0 0: postsuper(1) has not reported how many messages it found"},
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
        assert_false(messages.is_well);
        free(expected);
        restart();
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

/* What postqueue(1) may run is then another's program: anyone can lock a master.pid of his own. */
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
    for (size_t i = 0; i < INSTANCES; i++)
        assert_part(i, "0 0: refused: postqueue(1) may run showq(8) from its own "
                       "daemon_directory /other");
    assert_string_equal(utstring_body(&listed), "");
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
    restart();
    list();
    find();
    assert_string_equal(utstring_body(&listed), "1:" ONE " ");
}

/* It does not share its queue with another instance. */
TEST(a_directory_that_is_listed_twice)
{
    char **directory = &instances[2].config_directory,
         **queue_directory = &instances[2].values[PARAMETER_QUEUE_DIRECTORY];

    alloc_set_text(directory, "%s/", instances[1].config_directory);
    alloc_set_text(queue_directory, "%s", instances[1].config_directory);
    members[2].state = SELECTION_DUPLICATE;
    queue(0, "");
    queue(1, MESSAGE("active", ONE));
    find();
    assert_parts("0 0: ", ONE " 0 0: ", "0 0: listed twice");
}

static void assert_refused(size_t index, const char *expected)
{
    char *text = fixture_fill(expected);

    assert_part(index, text);
    free(text);
}

static void make_directory(const char *name)
{
    free(alloc_string(fixture_directory(name)));
}

/* Through a link, the neighbour's mail would be lost; the neighbour is not refused where its master
 * is proven to run. */
TEST(a_queue_that_is_a_link)
{
    queues("", MESSAGE("active", ONE), "");
    make_directory("postfix-b/deferred");
    fixture_link("../postfix-b/deferred", "postfix-a/deferred");
    find();
    assert_refused(1, "0 0: refused: @/postfix-b has the same queue_directory");
    assert_refused(2, "0 0: refused: @/postfix-a has the same queue_directory");
}

/* Locks a file as master(8) does. */
static int hold(const char *name)
{
    int fd = open(fixture_file(name, ""), O_RDWR | O_CLOEXEC);

    assert_true(fd >= 0 && flock(fd, LOCK_EX) == 0);
    return fd;
}

/* Anybody's main.cf can name the victim's directory, and anybody's queue have links into it. */
TEST(a_shared_queue_directory_whose_master_runs)
{
    make_directory("postfix-a/pid");
    make_directory("postfix-a/hold");
    make_directory("data");
    int files[] = {hold("postfix-a/pid/master.pid"), hold("data/master.lock")};

    instances[1].values[PARAMETER_DATA_DIRECTORY] = alloc_string(fixture_path("data"));
    fixture_link("../postfix-a/hold", "default/hold");
    free(instances[2].values[PARAMETER_QUEUE_DIRECTORY]);
    instances[2].values[PARAMETER_QUEUE_DIRECTORY] = alloc_string(fixture_path("postfix-a"));
    queues("", MESSAGE("active", ONE), "");
    find();
    assert_refused(0, "0 0: refused: @/postfix-a has the same queue_directory");
    assert_part(1, ONE " 0 0: ");
    assert_refused(2, "0 0: refused: @/postfix-a has the same queue_directory");
    restart();
    instances[2].values[PARAMETER_DATA_DIRECTORY] = alloc_string(fixture_path("data"));
    find(); /* in doubt */
    assert_refused(1, "0 0: refused: @/postfix-b has the same queue_directory");
    close(files[0]);
    close(files[1]);
}

TEST(a_hashed_queue_that_is_a_link)
{
    queues("", MESSAGE("active", ONE), "");
    make_directory("postfix-a/deferred");
    make_directory("postfix-a/deferred/A");
    fixture_link("/tmp", "postfix-a/deferred/A/0");
    find();
    assert_refused(1, "0 0: refused: @/postfix-a/deferred/A/0 is not a directory of its own");
    assert_part(2, "0 0: ");
}

/* After it was found. */
TEST(a_queue_that_becomes_a_link)
{
    queues("", MESSAGE("active", ONE), "");
    find();
    fixture_link("/tmp", "postfix-a/hold");
    messages_act(&messages);
    assert_refused(1, ONE " 0 0: refused: @/postfix-a/hold is not a directory of its own");
    assert_asked(1, "");
}

/* Never within a character. */
TEST(a_long_key_is_cut)
{
    char key[2001];

    memset(key, 'x', sizeof(key) - 1);
    key[sizeof(key) - 1] = '\0';
    memcpy(key + 1023, "\303\244", 2);
    char *line = alloc_format(OBJECT("hold", ONE, "1", "%s", NOBODY), key);

    queues(line, "", "");
    messages.verb = MESSAGE_COUNT;
    messages.by = MESSAGE_BY_SENDER;
    find();
    key[1023] = '\0';
    assert_string_equal(messages.counts->key, key);
    free(line);
}

TEST(more_than_is_kept)
{
    queues(MESSAGE("hold", ONE) MESSAGE("hold", TWO), MESSAGE("hold", ONE), "");
    messages.maximum = 1;
    find();
    assert_part(0, "0 0: more than 1 messages: narrow the filter");
    assert_part(1, ONE " 0 0: ");
    restart();
    messages.maximum = 1;
    messages.verb = MESSAGE_COUNT;
    messages.by = MESSAGE_BY_QUEUE;
    queues(MESSAGE("hold", ONE) MESSAGE("active", TWO) MESSAGE("deferred", THREE),
           MESSAGE("hold", ONE), "");
    find();
    assert_part(0, "0 0: more than 1 keys to count by");
    assert_part(1, "0 0: ");
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
    assert_int_equal(messages.parts[0].status, MESSAGES_OK);
    assert_int_equal(messages.parts[1].status, MESSAGES_FAILED);
    assert_int_equal(messages.parts[2].status, MESSAGES_DUPLICATE);
    assert_false(messages.is_well);
}

/* It need not be there, but what is there has to be done. */
TEST(an_instance_that_is_not_enabled)
{
    queues("", "x\n", "");
    instances[1].enabled = INSTANCE_DISABLED;
    find();
    assert_int_equal(messages.parts[1].status, MESSAGES_DISABLED);
    assert_true(messages.is_well);
    restart();
    members[1].is_named = true;
    find();
    assert_int_equal(messages.parts[1].status, MESSAGES_FAILED);
}

TEST(an_act_that_fails_where_it_is_not_enabled)
{
    queues("", MESSAGE("active", ONE), "");
    instances[1].enabled = INSTANCE_DISABLED;
    fixture_script("postsuper", "exit 1");
    find();
    messages_act(&messages);
    assert_int_equal(messages.parts[1].status, MESSAGES_FAILED);
}

/* A run whose time is over does nothing more. */
TEST(no_time_left)
{
    struct limits over = {.end = clock_now(), .seconds = 1};

    queues(MESSAGE("active", ONE), MESSAGE("active", ONE), MESSAGE("active", ONE));
    find();
    messages.limits = &over;
    messages_act(&messages);
    assert_part(0, ONE " 0 0: not started within 1s");
    assert_asked(0, "");
}

/* How messages are read. */

static void note_content(void *context, const struct message *message)
{
    utstring_printf(context, "%s %s %s %d %d %d", message->queue, message->id, message->sender,
                    (int)message->arrival, (int)message->size, message->is_expired);
    for (size_t i = 0; i < json_array_size(message->recipients); i++) {
        const json_t *recipient = json_array_get(message->recipients, i);
        const char *reason = json_string_value(json_object_get(recipient, "delay_reason"));

        utstring_printf(context, "; %s: %s",
                        json_string_value(json_object_get(recipient, "address")),
                        reason == NULL ? "-" : reason);
    }
}

/* Searches only the first instance, whose queue has this line. */
static void find_in(const char *line)
{
    char *lines = alloc_format("%s\n", line);

    queue(0, lines);
    selection.member_count = 1;
    utstring_clear(&listed);
    find();
    free(lines);
}

TEST(a_line_of_postqueue)
{
    list();
    messages.found = note_content;
    find_in(LINE(RECIPIENTS ", \"forced_expire\": true, \"new\": [1]"));
    assert_string_equal(utstring_body(&listed),
                        "deferred 4F2A1B3C5D Anna@example.com 1700000000 2048 1; "
                        "b@One.example: Connection refused; c@two.example: -; d@one.example: -");
}

/* The reply of another host gets into a delay reason byte by byte. */
TEST(invalid_utf8_is_replaced)
{
    list();
    messages.found = note_content;
    find_in(LINE(", \"recipients\": [{\"address\": \"b\", \"delay_reason\": \"\xe2\x82 \xf5\"}]"));
    assert_string_equal(strchr(utstring_body(&listed), ';'),
                        "; b: \xef\xbf\xbd\xef\xbf\xbd \xef\xbf\xbd");
}

/* For each, the beginning of the error. */
TEST(lines_that_are_refused)
{
    static const char *const cases[][2] = {
        {"", "not JSON"},
        {"postqueue: fatal: x", "not JSON"},
        {LINE(RECIPIENTS) " {}", "not JSON"},
        {"{\"queue_name\": \"deferred\", \"queue_id\": \"4F2", "not JSON"},
        {LINE(RECIPIENTS ", \"queue_id\": \"5F2A1B3C5D\""), "not JSON"},
        {LINE(", \"recipients\": [{\"address\": \"b\\u0000c\"}]"), "not JSON"},
        {"[]", "no valid queue_name"},
        {"{}", "no valid queue_name"},
        {"{\"queue_name\": 5}", "no valid queue_name"},
        {"{\"queue_name\": \"hold\", \"queue_id\": [\"4F2A1B3C5D\"]}", "no valid queue_id"},
        {MESSAGE("hold", "ALL"), "no valid queue_id"},
        {"{\"queue_name\": \"hold\", \"queue_id\": \"" ONE "\", \"sender\": \"\", "
         "\"arrival_time\": \"1\"}",
         "no valid arrival_time"},
        {OBJECT("hold", ONE, "-1", "s", NOBODY), "no valid message_size"},
        {OBJECT("hold", ONE, "1.5", "s", NOBODY), "no valid message_size"},
        {LINE(""), "no valid recipients"},
        {LINE(", \"recipients\": {}"), "no valid recipients"},
        {LINE(", \"recipients\": [\"b\"]"), "no valid recipients"},
        {LINE(", \"recipients\": [{}]"), "no valid recipients"},
        {LINE(", \"recipients\": [{\"address\": \"b\", \"delay_reason\": 4}]"), "no valid recipients"},
        {LINE(RECIPIENTS ", \"forced_expire\": 1"), "no valid forced_expire"},
    };

    for (size_t i = 0; i < COUNT(cases); i++) {
        char *expected = alloc_format("postqueue -j, line 1: %s", cases[i][1]);

        find_in(cases[i][0]);
        assert_memory_equal(messages.parts[0].reason, expected, strlen(expected));
        restart();
        free(expected);
    }
}

TEST(filters)
{
    static const struct {
        struct message_filter filter;
        bool passes;
    } cases[] = {
        {{.before = INT64_MAX, .larger = -1}, true},
        {{.before = 1700000000, .larger = 2047}, true},
        {{.before = 1699999999, .larger = -1}, false},
        {{.before = INT64_MAX, .larger = 2048}, false},
        {{.before = INT64_MAX, .larger = -1, .patterns[MESSAGE_BY_QUEUE] = "deferred"}, true},
        {{.before = INT64_MAX, .larger = -1, .patterns[MESSAGE_BY_QUEUE] = "hold"}, false},
        {{.before = INT64_MAX, .larger = -1, .patterns[MESSAGE_BY_SENDER] = "anna@*"}, true},
        {{.before = INT64_MAX, .larger = -1, .patterns[MESSAGE_BY_SENDER] = "anna"}, false},
        {{.before = INT64_MAX, .larger = -1, .patterns[MESSAGE_BY_SENDER] = "<>"}, false},
        {{.before = INT64_MAX, .larger = -1, .patterns[MESSAGE_BY_RECIPIENT] = "*@TWO.example"},
         true},
        {{.before = INT64_MAX, .larger = -1, .patterns[MESSAGE_BY_RECIPIENT] = "*@three.example"},
         false},
        {{.before = INT64_MAX, .larger = -1, .patterns[MESSAGE_BY_REASON] = "*REFUSED*"}, true},
        {{.before = INT64_MAX, .larger = -1, .patterns[MESSAGE_BY_REASON] = "*timed out*"}, false},
        /* each by another recipient */
        {{.before = INT64_MAX,
          .larger = -1,
          .patterns[MESSAGE_BY_RECIPIENT] = "c@*",
          .patterns[MESSAGE_BY_REASON] = "*refused"},
         true},
        {{.before = INT64_MAX,
          .larger = -1,
          .patterns[MESSAGE_BY_RECIPIENT] = "c@*",
          .patterns[MESSAGE_BY_SENDER] = "x"},
         false},
    };

    for (size_t i = 0; i < COUNT(cases); i++) {
        list();
        messages.filter = cases[i].filter;
        find_in(LINE(RECIPIENTS));
        if ((utstring_len(&listed) > 0) != cases[i].passes)
            fail_msg("filter %zu", i);
        restart();
    }
}

TEST(the_empty_sender)
{
    static const char *const senders[] = {"MAILER-DAEMON"};
    static const struct {
        const char *pattern;
        bool passes;
    } cases[] = {{"<>", true}, {"mailer-daemon", true}, {"*@*", false}};

    for (size_t i = 0; i < COUNT(senders) * COUNT(cases); i++) {
        char *line =
            alloc_format(OBJECT("hold", ONE, "1", "%s", NOBODY), senders[i / COUNT(cases)]);

        list();
        messages.filter.patterns[MESSAGE_BY_SENDER] = cases[i % COUNT(cases)].pattern;
        queues(line, "", "");
        utstring_clear(&listed);
        find();
        assert_int_equal(utstring_len(&listed) > 0, cases[i % COUNT(cases)].passes);
        restart();
        free(line);
    }
}

/* For each, how many messages there are to act on, and how many refusals. */
TEST(what_a_verb_has_to_do)
{
    static const struct {
        enum message_verb verb;
        const char *queue;
        const char *expired;
        int messages, refusals;
    } cases[] = {
        {MESSAGE_HOLD, "active", "false", 1, 0},      {MESSAGE_HOLD, "hold", "false", 0, 0},
        {MESSAGE_HOLD, "maildrop", "false", 0, 1},    {MESSAGE_RELEASE, "hold", "true", 1, 0},
        {MESSAGE_RELEASE, "deferred", "false", 0, 0}, {MESSAGE_REQUEUE, "hold", "false", 1, 0},
        {MESSAGE_REQUEUE, "maildrop", "false", 0, 0}, {MESSAGE_DELETE, "maildrop", "false", 1, 0},
        {MESSAGE_EXPIRE, "hold", "false", 1, 0},      {MESSAGE_EXPIRE, "deferred", "true", 0, 0},
        {MESSAGE_EXPIRE, "maildrop", "false", 0, 1},
    };

    selection.member_count = 1;
    for (size_t i = 0; i < COUNT(cases); i++) {
        char *line = alloc_format(OBJECT("%s", ONE, "1", "s", NOBODY ", \"forced_expire\": %s"),
                                  cases[i].queue, cases[i].expired);

        queue(0, line);
        messages.verb = cases[i].verb;
        FIND(ONE);
        assert_int_equal(messages.total, cases[i].messages);
        assert_int_equal(utarray_len(messages.refusals), cases[i].refusals);
        restart();
        free(line);
    }
}

/* As Postfix 3.5 to 3.12 print them, and what main.cf can make them print; all of one message. */
TEST(reports_of_postsuper)
{
    static const char none[] = "0 0: postsuper(1) has not reported how many messages it found";
    static const char three[] = "1 0: postsuper(1) reports 3 messages of 1";
    static const struct {
        const char *line;
        enum message_verb verb;
        const char *expected;
    } cases[] = {
        {"postsuper: Requeued: 3 messages", MESSAGE_REQUEUE, three},
        {"postsuper: Requeued: 1 message", MESSAGE_REQUEUE, "1 0: "},
        {"postsuper: Deleted: 0 messages", MESSAGE_DELETE,
         "0 0: only 0 of 1 messages were deleted"},
        {"postsuper: Force-expired: 100000 messages", MESSAGE_EXPIRE,
         "1 0: postsuper(1) reports 100000 messages of 1"},
        {"postsuper: Placed on hold: 3 messages", MESSAGE_HOLD, three},
        {"postsuper: Released from hold: 3 messages", MESSAGE_RELEASE, three},
        {"postsuper: Deleted: 3 messages", MESSAGE_REQUEUE, none},
        {"postsuper: warning: x: postsuper: Requeued: 3 messages", MESSAGE_REQUEUE, none},
        {" postsuper: Requeued: 3 messages", MESSAGE_REQUEUE, none},
        {"postsuper: Requeued: 3 messages?", MESSAGE_REQUEUE, none},
        {"postsuper: Requeued: -3 messages", MESSAGE_REQUEUE, none},
        {"postsuper: Requeued: messages", MESSAGE_REQUEUE, none},
        {"postsuper: 4F2A1B3C5D: requeued", MESSAGE_REQUEUE, none},
    };

    selection.member_count = 1;
    for (size_t i = 0; i < COUNT(cases); i++) {
        char *script = alloc_format("echo '%s' >&2", cases[i].line);
        char *expected = alloc_format(ONE " %s", cases[i].expected);

        fixture_script("postsuper", script);
        queue(0, cases[i].verb == MESSAGE_RELEASE ? MESSAGE("hold", ONE) : MESSAGE("active", ONE));
        messages.verb = cases[i].verb;
        find();
        messages_act(&messages);
        assert_part(0, expected);
        restart();
        free(script);
        free(expected);
    }
}

/* Counts two messages, and compares "KEY MESSAGES BYTES;" for each kind. */
static void assert_counts(enum message_key by, const char *expected)
{
    messages.verb = MESSAGE_COUNT;
    messages.by = by;
    find();
    for (struct message_count *count = messages.counts; count != NULL; count = count->hh.next)
        utstring_printf(&listed, "%s %d %d;", count->key, (int)count->tally.messages,
                        (int)count->tally.bytes);
    assert_string_equal(utstring_body(&listed), expected);
    assert_int_equal(messages.counted.messages, 2);
    assert_int_equal(messages.counted.bytes, 3048);
    utstring_clear(&listed);
    restart();
}

TEST(counts)
{
    queues("", LINE(RECIPIENTS) "\n",
           OBJECT("hold", ONE, "1000", "z",
                  "\"recipients\": [{\"address\": \"b@two.example\"}, {\"address\": \"local\"}]"));
    assert_counts(MESSAGE_BY_NOTHING, "");
    assert_counts(MESSAGE_BY_SENDER, "Anna@example.com 1 2048;z 1 1000;");
    assert_counts(MESSAGE_BY_RECIPIENT, "b@One.example 1 2048;c@two.example 1 2048;"
                                        "d@one.example 1 2048;b@two.example 1 1000;local 1 1000;");
    assert_counts(MESSAGE_BY_DOMAIN, "two.example 2 3048;one.example 1 2048; 1 1000;");
    assert_counts(MESSAGE_BY_REASON, "Connection refused 1 2048;");
    assert_counts(MESSAGE_BY_QUEUE, "deferred 1 2048;hold 1 1000;");
    assert_counts(MESSAGE_BY_INSTANCE, "postfix-a 1 2048;postfix-b 1 1000;");
}

/* Sizes from outside cannot overflow the sum. */
TEST(bytes_are_not_more_than_fit)
{
#define LARGE OBJECT("hold", ONE, "9223372036854775807", "s", NOBODY)
    messages.verb = MESSAGE_COUNT;
    messages.by = MESSAGE_BY_SENDER;
    queues(LARGE LARGE LARGE, "", "");
    find();
    assert_true(messages.counted.bytes == INT64_MAX);
    assert_true(messages.counts->tally.bytes == INT64_MAX);
}

/* What names messages. */

TEST(queue_ids)
{
    static const struct {
        const char *text;
        bool is_id;
    } cases[] = {
        {"4F2A1B3C5D", true},
        {"000001", true},
        {"F423FFFFFFFFFFFFFFFFF", true},
        {"3PTb9R4sdCzKnBs", true},
        {"4YjJ7z2TzkzKnBs", true},
        {"zzzzzzzzzzz1", true},
        {"ALL", false},
        {"00001", false},
        {"4f2a1b3c5d", false},
        {"4F2A1B3C5G", false},
        {"-F2A1B3C5D", false},
        {"4F2A1B 3C5D", false},
        {"3PTb9R4sdCz", false},    /* no inode number */
        {"3PTb9R4sdzKnBs", false}, /* no microseconds */
        {"3PTb9R4sdCKnBs", false}, /* no z */
        {"3PTa9R4sdCzKnBs", false},
        {"3PTb9R4sdCz../..", false},
        {"deferred", false},
        {"000000000000000000000000000000000", false}, /* 33 */
    };

    for (size_t i = 0; i < COUNT(cases); i++) {
        if ((messages_name(&messages, cases[i].text, strlen(cases[i].text)) ==
             MESSAGE_OPERAND_ID) != cases[i].is_id)
            fail_msg("%s", cases[i].text);
    }
}

TEST(lines_that_name_messages)
{
    static const struct {
        const char *line;
        enum message_operand result;
        const char *instance;
        const char *id;
    } cases[] = {
        {"4F2A1B3C5D", MESSAGE_OPERAND_ID, NULL, "4F2A1B3C5D"},
        {"4F2A1B3C5D\r", MESSAGE_OPERAND_ID, NULL, "4F2A1B3C5D"},
        {"4F2A1B3C5D  ", MESSAGE_OPERAND_ID, NULL, "4F2A1B3C5D"},
        {"out/4F2A1B3C5D", MESSAGE_OPERAND_ID, "out", "4F2A1B3C5D"},
        {"-/4F2A1B3C5D", MESSAGE_OPERAND_ID, "-", "4F2A1B3C5D"},
        {"/etc/postfix-a/3PTb9R4sdCzKnBs", MESSAGE_OPERAND_ID, "/etc/postfix-a", "3PTb9R4sdCzKnBs"},
        {"4F2A1B3C5D*    2048 Tue Nov 14 22:13:20  a@b", MESSAGE_OPERAND_ID, NULL, "4F2A1B3C5D"},
        {"4F2A1B3C5D!#   2048 Tue Nov 14 22:13:20  a@b", MESSAGE_OPERAND_ID, NULL, "4F2A1B3C5D"},
        {"4F2A1B3C5D*#", MESSAGE_OPERAND_ID, NULL, "4F2A1B3C5D"},
        {"{\"queue_id\": \"4F2A1B3C5D\", \"sender\": \"\xff\"}", MESSAGE_OPERAND_ID, NULL,
         "4F2A1B3C5D"},
        {"{\"queue_id\": \"4F2A1B3C5D\", \"config_directory\": \"/etc/a\"}", MESSAGE_OPERAND_ID,
         "/etc/a", "4F2A1B3C5D"},
        {"", MESSAGE_OPERAND_NONE, NULL, NULL},
        {"\r", MESSAGE_OPERAND_NONE, NULL, NULL},
        {"-Queue ID-  --Size-- ----Arrival Time---- -Sender/Recipient-------", MESSAGE_OPERAND_NONE,
         NULL, NULL},
        {"----Queue ID----- --Size-- ---Arrival Time---- --Sender/Recipient------",
         MESSAGE_OPERAND_NONE, NULL, NULL},
        {"(4F2A1B3C5D refused)", MESSAGE_OPERAND_NONE, NULL, NULL},
        {"           4F2A1B3C5D@example.com", MESSAGE_OPERAND_NONE, NULL, NULL},
        {"-- 5 Kbytes in 2 Requests.", MESSAGE_OPERAND_NONE, NULL, NULL},
        {"Mail queue is empty", MESSAGE_OPERAND_NONE, NULL, NULL},
        {"ALL", MESSAGE_OPERAND_BAD, NULL, NULL},
        {"-d", MESSAGE_OPERAND_BAD, NULL, NULL},
        {"/4F2A1B3C5D", MESSAGE_OPERAND_BAD, NULL, NULL},
        {"4F2A1B3C5D/", MESSAGE_OPERAND_BAD, NULL, NULL},
        {"4F2A1B3C5D 5F2A1B3C5D", MESSAGE_OPERAND_BAD, NULL, NULL},
        {"4F2A1B3C5D 123456", MESSAGE_OPERAND_BAD, NULL, NULL},
        {"postqueue: fatal: 4F2A1B3C5D", MESSAGE_OPERAND_BAD, NULL, NULL},
        {"{\"queue_id\": \"ALL\"}", MESSAGE_OPERAND_BAD, NULL, NULL},
        {"{\"queue_id\": 5}", MESSAGE_OPERAND_BAD, NULL, NULL},
        {"{\"queue_id\": \"4F2A1B3C5D\", \"config_directory\": 5}", MESSAGE_OPERAND_BAD, NULL,
         NULL},
        {"{\"queue_id\": \"4F2A1B3C5D\"", MESSAGE_OPERAND_BAD, NULL, NULL},
    };

    selection.member_count = 0;
    for (size_t i = 0; i < COUNT(cases); i++) {
        messages.is_named = true;
        if (messages_name(&messages, cases[i].line, strlen(cases[i].line)) != cases[i].result)
            fail_msg("%s", cases[i].line);
        messages_find(&messages);
        char *expected = cases[i].instance != NULL
                             ? alloc_format("%s/%s: no such instance is selected\n",
                                            cases[i].instance, cases[i].id)
                         : cases[i].id != NULL ? alloc_format("%s: no such message\n", cases[i].id)
                                               : alloc_string("");
        fixture_assert_lines(messages.refusals, expected);
        free(expected);
        restart();
    }
}

TEST(a_line_with_a_nul)
{
    assert_int_equal(messages_name(&messages, "4F2A1B3C5D\0", 11), MESSAGE_OPERAND_BAD);
    assert_int_equal(messages_name(&messages, "4F2A1B\0C5D", 10), MESSAGE_OPERAND_BAD);
}
