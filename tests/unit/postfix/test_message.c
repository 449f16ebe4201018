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
#define HELD(id) MESSAGE("hold", id)

#define LINE(members)                                                                              \
    "{\"queue_name\": \"deferred\", \"queue_id\": \"4F2A1B3C5D\", \"arrival_time\": 1700000000, "  \
    "\"message_size\": 2048, \"sender\": \"Anna@example.com\"" members "}"
#define RECIPIENTS                                                                                 \
    ", \"recipients\": [{\"address\": \"b@One.example\", \"delay_reason\": \"Connection "          \
    "refused\"}, "                                                                                 \
    "{\"address\": \"c@two.example\"}, {\"address\": \"d@one.example\"}]"

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

static void note_found(void *context, const struct message *message)
{
    assert_ptr_equal(context, &listed);
    utstring_printf(&listed, "%zu:%s ", (size_t)(message->part - messages.parts), message->id);
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
                                 .found = note_found,
                                 .context = &listed,
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
                   "n=$((n+1)); echo \"postsuper: $id: removed\" >&2; done\n"
                   "echo \"postsuper: Deleted: $n messages\" >&2");
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

static void list(void)
{
    messages.verb = MESSAGE_LIST;
    utstring_clear(&listed);
}

/* Describes what was listed, found and done: "!" if not all is well; for each message that is
 * listed, "PART:ID "; for each part, "ID ID done N gone N unknown: reason|"; the refusals. */
static char *describe(void)
{
    char *refusals = fixture_lines(messages.refusals);
    size_t total = 0;
    UT_string text;

    utstring_init(&text);
    utstring_printf(&text, "%s%s", messages.is_well ? "" : "!", utstring_body(&listed));
    for (size_t i = 0; i < messages.count; i++) {
        const struct messages_part *part = &messages.parts[i];

        for (size_t j = 0; j < utarray_len(part->ids); j++, total++)
            utstring_printf(&text, "%s%s", j == 0 ? "" : " ",
                            ((struct message_id *)utarray_eltptr(part->ids, j))->text);
        if (part->done > 0)
            utstring_printf(&text, " done %zu", part->done);
        if (part->gone > 0)
            utstring_printf(&text, " gone %zu", part->gone);
        utstring_printf(&text, "%s%s%s|", part->is_unknown ? " unknown" : "",
                        part->reason == NULL ? "" : ": ", part->reason == NULL ? "" : part->reason);
    }
    assert_int_equal(messages.total, total);
    utstring_printf(&text, "%s", refusals == NULL ? "" : refusals);
    free(refusals);
    return utstring_body(&text);
}

static void expect(const char *text)
{
    char *found = describe(), *expected = fixture_fill(text);

    assert_string_equal(found, expected);
    free(found);
    free(expected);
}

static void find(const char *expected)
{
    messages_find(&messages);
    expect(expected);
}

/* Acts on what was found. */
static void act(const char *expected)
{
    messages_act(&messages);
    expect(expected);
}

static enum message_operand name(const char *word)
{
    messages.is_named = true;
    return messages_name(&messages, word, strlen(word));
}

#define NOT_JSON "postqueue -j, line 1: not JSON: '[' or '{' expected near 'x'"

TEST(what_is_found)
{
    static const struct {
        const char *names[3]; /* "": none is named */
        const char *queues[INSTANCES], *expected;
        enum message_verb verb; /* 0: delete */
        const char *queue;      /* --queue */
    } rows[] = {
        {{NULL},
         {HELD(TWO) MESSAGE("active", ONE) MESSAGE("deferred", ONE), "", HELD(THREE)},
         .expected = ONE " " TWO "||" THREE "|"},
        {{TWO, ONE, ONE}, {HELD(ONE), HELD(TWO) HELD(THREE), ""}, .expected = ONE "|" TWO "||"},
        {{THREE, "a/" ONE, "-/" ONE},
         {HELD(ONE), HELD(TWO) HELD(THREE), ""},
         .expected = "!" ONE "|" THREE "||postfix-a/" ONE ": no such message\n"},
        {{ONE}, {"", "", ""}, .expected = "!|||" ONE ": no such message\n"},
        /* the filters narrow what is named */
        {{ONE}, {HELD(ONE), "", ""}, .expected = "|||", .queue = "deferred"},
        /* one that may be meant in another instance */
        {{ONE, TWO, "postfix-a/" ONE},
         {HELD(ONE), HELD(ONE) HELD(TWO), ""},
         .expected = "!|" ONE " " TWO "||" ONE
                     ": in several instances: @/default, postfix-a: specify instance/" ONE "\n"},
        /* it may be where the search failed */
        {{THREE, ONE, "a/" TWO},
         {HELD(ONE), "x\n", ""},
         .expected =
             "!" ONE "|: " NOT_JSON "||" THREE ": no such message where it could be looked for\n"},
        /* names none, and searches nothing */
        {{""}, {HELD(ONE), "x\n", ""}, .expected = "|||"},
        /* held mail is requeued only when asked for */
        {{NULL},
         {HELD(ONE) MESSAGE("deferred", TWO), HELD(ONE), ""},
         .expected = TWO "|||",
         MESSAGE_REQUEUE},
        {{NULL},
         {HELD(ONE) MESSAGE("deferred", TWO), HELD(ONE), ""},
         .expected = ONE "|" ONE "||",
         MESSAGE_REQUEUE,
         "hold"},
    };

    for (size_t i = 0; i < COUNT(rows); i++) {
        queues(rows[i].queues[0], rows[i].queues[1], rows[i].queues[2]);
        messages.verb = rows[i].verb == 0 ? MESSAGE_DELETE : rows[i].verb;
        messages.filter.patterns[MESSAGE_BY_QUEUE] = rows[i].queue;
        messages.is_named = rows[i].names[0] != NULL;
        for (size_t j = 0; j < 3 && rows[i].names[j] != NULL && rows[i].names[j][0] != '\0'; j++)
            assert_int_equal(name(rows[i].names[j]), MESSAGE_OPERAND_ID);
        find(rows[i].expected);
        restart();
    }
}

/* In the order of the instances, each as it is listed; all those of an ID. */
TEST(what_is_listed)
{
    queues(HELD(TWO) MESSAGE("active", ONE), HELD(ONE), HELD(THREE));
    list();
    find("0:" TWO " 0:" ONE " 1:" ONE " 2:" THREE " |||");
    restart();
    list();
    (void)name(ONE);
    find("0:" ONE " 1:" ONE " |||");
}

/* Only the instances in question are searched. */
TEST(instances_of_ids)
{
    queues("x\n", HELD(ONE), HELD(ONE));
    instances[2].values[PARAMETER_MULTI_INSTANCE_NAME][7] = '-'; /* another postfix-... */
    (void)name("postfix-a/" ONE);
    (void)name("no/" ONE);
    (void)name("postfix-?/" ONE);
    find("!|" ONE "||no/" ONE ": no such instance is selected\n"
         "postfix-?/" ONE ": several instances match: specify the directory\n");
    assert_false(messages.parts[0].is_wanted);
}

/* What there is to do to a message that is named. */
TEST(what_a_verb_has_to_do)
{
    static const char done[] = "|", to_do[] = ONE "|";
    static const struct {
        enum message_verb verb;
        const char *queue, *expired, *expected;
    } rows[] = {
        {MESSAGE_HOLD, "active", "false", to_do},
        {MESSAGE_HOLD, "hold", "false", done},
        {MESSAGE_HOLD, "maildrop", "false", "!|" ONE ": mail in maildrop cannot be held\n"},
        {MESSAGE_RELEASE, "hold", "true", to_do},
        {MESSAGE_RELEASE, "deferred", "false", done},
        {MESSAGE_REQUEUE, "hold", "false", to_do},
        {MESSAGE_REQUEUE, "maildrop", "false", done},
        {MESSAGE_DELETE, "maildrop", "false", to_do},
        {MESSAGE_EXPIRE, "hold", "false", to_do},
        {MESSAGE_EXPIRE, "deferred", "true", done},
        {MESSAGE_EXPIRE, "maildrop", "false", "!|" ONE ": mail in maildrop cannot be expired\n"},
    };

    selection.member_count = 1;
    for (size_t i = 0; i < COUNT(rows); i++) {
        char *line = alloc_format(OBJECT("%s", ONE, "1", "s", NOBODY ", \"forced_expire\": %s"),
                                  rows[i].queue, rows[i].expired);

        queue(0, line);
        messages.verb = rows[i].verb;
        (void)name(ONE);
        find(rows[i].expected);
        restart();
        free(line);
    }
}

/* A search that fails finds nothing: what was found so far is not acted on. */
TEST(searches_that_fail)
{
    static const char *const cases[][2] = {
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
        char *expected = alloc_format("!|: %s||", cases[i][1]);
        char *script =
            alloc_format("case $MAIL_CONFIG in *-a) ;; *) exit 0 ;; esac; %s", cases[i][0]);

        queues("", HELD(ONE), "");
        fixture_script("postqueue", script);
        find(expected);
        restart();
        free(expected);
        free(script);
    }
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
    queues(HELD(TWO) MESSAGE("active", ONE), "", MESSAGE("active", ONE));
    find(ONE " " TWO "||" ONE "|");
    act(ONE " " TWO " done 2||" ONE " done 1|");
    assert_asked(0, "-d -\n" ONE "\n" TWO "\n");
    assert_asked(1, "");
}

#define SAYS(text) "echo 'postsuper: " text "' >&2"
#define UNKNOWN " unknown: postsuper(1) has not reported how many messages it found|"
#define THREE_OF_1 " done 1: postsuper(1) reports 3 messages of 1|"

/* Acts on what is in the first queue, which has become the second by then, with the script for
 * postsuper, or our own one. It reports as Postfix 3.5 to 3.12 do, and only that counts; main.cf
 * can make it print other lines. */
TEST(acts)
{
    static const struct {
        enum message_verb verb;
        const char *script;   /* NULL: our own */
        const char *expected; /* behind the ID; all is well without ":" */
        const char *later, *first;
    } rows[] = {
        /* what has left, was busy, or was done by others */
        {MESSAGE_DELETE, NULL, .expected = " " TWO " done 1 gone 1|",
         HELD(TWO) MESSAGE("active", THREE), HELD(TWO) MESSAGE("active", ONE)},
        {MESSAGE_DELETE, NULL,
         .expected = " " TWO " 444444DDDD done 1 gone 1: only 1 of 3 messages were deleted|",
         HELD("444444DDDD") MESSAGE("active", ONE) MESSAGE("deferred", ONE),
         HELD(TWO) MESSAGE("active", ONE) HELD("444444DDDD")},
        {MESSAGE_HOLD, SAYS("Placed on hold: 0 messages"), .expected = " gone 1|", HELD(ONE)},
        /* how it fails */
        {MESSAGE_DELETE, SAYS("fatal: no") "; exit 1",
         .expected =
             " unknown: postsuper: fatal: no; it is unknown how many messages were deleted|"},
        {MESSAGE_DELETE, "echo 'postsuper: Deleted: 1 message'", .expected = UNKNOWN},
        {MESSAGE_DELETE, SAYS("Deleted: 1 message") "; kill -TERM $$",
         .expected = " done 1: killed by signal 15 (Terminated)|"},
        {MESSAGE_DELETE, SAYS("Deleted: 0 messages") "; echo x >\"$MAIL_CONFIG\"/queue",
         .expected = ": " NOT_JSON "|"},
        {MESSAGE_EXPIRE,
         SAYS("invalid option") "; " SAYS("fatal: usage: postsuper [-c config_dir]") "; exit 1",
         .expected = ": postsuper(1) has no -e: expire needs Postfix 3.5 or later|"},
        /* its reports */
        {MESSAGE_REQUEUE, SAYS("Requeued: 3 messages"), .expected = THREE_OF_1},
        {MESSAGE_REQUEUE, SAYS("Requeued: 1 message"), .expected = " done 1|"},
        {MESSAGE_DELETE, SAYS("Deleted: 0 messages"),
         .expected = ": only 0 of 1 messages were deleted|"},
        {MESSAGE_EXPIRE, SAYS("Force-expired: 3 messages"), .expected = THREE_OF_1},
        {MESSAGE_HOLD, SAYS("Placed on hold: 3 messages"), .expected = THREE_OF_1},
        {MESSAGE_RELEASE, SAYS("Released from hold: 3 messages"), .expected = THREE_OF_1, NULL,
         HELD(ONE)},
        {MESSAGE_REQUEUE, SAYS("Deleted: 3 messages"), .expected = UNKNOWN},
        {MESSAGE_REQUEUE, SAYS("warning: postsuper: Requeued: 3 messages"), .expected = UNKNOWN},
        {MESSAGE_REQUEUE, "echo ' postsuper: Requeued: 3 messages' >&2", .expected = UNKNOWN},
        {MESSAGE_REQUEUE, SAYS("Requeued: 3 messages?"), .expected = UNKNOWN},
        {MESSAGE_REQUEUE, SAYS("Requeued: -3 messages"), .expected = UNKNOWN},
        {MESSAGE_REQUEUE, SAYS("Requeued: messages"), .expected = UNKNOWN},
        {MESSAGE_REQUEUE, SAYS("4F2A1B3C5D: requeued"), .expected = UNKNOWN},
    };

    selection.member_count = 1;
    (void)fixture_file("default/busy", ONE);
    for (size_t i = 0; i < COUNT(rows); i++) {
        const char *expected = rows[i].expected;
        char *text =
            alloc_format("%s" ONE "%s", strchr(expected, ':') == NULL ? "" : "!", expected);

        queue(0, rows[i].first == NULL ? MESSAGE("active", ONE) : rows[i].first);
        if (rows[i].script != NULL)
            fixture_script("postsuper", rows[i].script);
        messages.verb = rows[i].verb;
        messages_find(&messages);
        if (rows[i].later != NULL)
            queue(0, rows[i].later);
        act(text);
        restart();
        free(text);
    }
}

/* What postqueue(1) may run is then another's program: anyone can lock a master.pid of his own. */
TEST(another_daemon_directory)
{
    static const enum master_state states[] = {MASTER_RUNNING, MASTER_STOPPED, MASTER_UNKNOWN};
#define OTHER ": refused: postqueue(1) may run showq(8) from its own daemon_directory /other|"

    queues(MESSAGE("active", ONE), MESSAGE("active", ONE), MESSAGE("active", ONE));
    for (size_t i = 0; i < INSTANCES; i++) {
        alloc_set_text(&instances[i].values[PARAMETER_DAEMON_DIRECTORY], "/other");
        instances[i].running = states[i];
    }
    list();
    find("!" OTHER OTHER OTHER);
}

static void set_queue_directory(size_t index, const char *path)
{
    alloc_set_text(&instances[index].values[PARAMETER_QUEUE_DIRECTORY], "%s", path);
}

#define SAME(name) ": refused: @/" name " has the same queue_directory|"

/* By any path. */
TEST(a_shared_queue_directory)
{
    fixture_link("postfix-a", "link");
    set_queue_directory(2, fixture_path("link"));
    queues("", MESSAGE("active", ONE), "");
    selection.member_count = 2; /* the other one is not selected */
    find("!|" SAME("postfix-b"));
    restart();
    list();
    find("1:" ONE " ||");
}

/* It does not share its queue with another instance. */
TEST(a_directory_that_is_listed_twice)
{
    alloc_set_text(&instances[2].config_directory, "%s/", instances[1].config_directory);
    set_queue_directory(2, instances[1].config_directory);
    members[2].state = SELECTION_DUPLICATE;
    queue(0, "");
    queue(1, MESSAGE("active", ONE));
    find("|" ONE "|: listed twice|");
}

static void make_directory(const char *path)
{
    (void)fixture_directory(path);
}

/* Through a link, the neighbour's mail would be lost; the neighbour is not refused where its master
 * is proven to run. */
TEST(a_queue_that_is_a_link)
{
    queues("", MESSAGE("active", ONE), "");
    make_directory("postfix-b/deferred");
    fixture_link("../postfix-b/deferred", "postfix-a/deferred");
    find("!|" SAME("postfix-b") SAME("postfix-a"));
}

/* Locks a file as master(8) does. */
static int hold(const char *path)
{
    int fd = open(fixture_file(path, ""), O_RDWR | O_CLOEXEC);

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
    set_queue_directory(2, fixture_path("postfix-a"));
    queues("", MESSAGE("active", ONE), "");
    find("!" SAME("postfix-a") ONE "|" SAME("postfix-a"));
    restart();
    instances[2].values[PARAMETER_DATA_DIRECTORY] = alloc_string(fixture_path("data"));
    find("!" SAME("postfix-a") SAME("postfix-b") SAME("postfix-a")); /* in doubt */
    close(files[0]);
    close(files[1]);
}

/* Before it is searched, and after messages were found. */
TEST(a_queue_that_has_a_link)
{
    queues("", MESSAGE("active", ONE), "");
    make_directory("postfix-a/deferred");
    make_directory("postfix-a/deferred/A");
    find("|" ONE "||");
    fixture_link("/tmp", "postfix-a/deferred/A/0");
    act("!|" ONE ": refused: @/postfix-a/deferred/A/0 is not a directory of its own||");
    assert_asked(1, "");
    restart();
    find("!|: refused: @/postfix-a/deferred/A/0 is not a directory of its own||");
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
    messages_find(&messages);
    key[1023] = '\0';
    assert_string_equal(messages.counts->key, key);
    free(line);
}

TEST(more_than_is_kept)
{
    queues(HELD(ONE) HELD(TWO), HELD(ONE), "");
    messages.maximum = 1;
    find("!: more than 1 messages: narrow the filter|" ONE "||");
    restart();
    messages.maximum = 1;
    messages.verb = MESSAGE_COUNT;
    messages.by = MESSAGE_BY_QUEUE;
    queues(HELD(ONE) MESSAGE("active", TWO) MESSAGE("deferred", THREE), HELD(ONE), "");
    find("!: more than 1 keys to count by|||");
}

static void assert_statuses(enum messages_status first, enum messages_status second,
                            enum messages_status third)
{
    assert_int_equal(messages.parts[0].status, first);
    assert_int_equal(messages.parts[1].status, second);
    assert_int_equal(messages.parts[2].status, third);
}

TEST(instances_that_are_not_served)
{
    queues(MESSAGE("active", ONE), "", "");
    instances[1].error = alloc_string("it is broken");
    members[1].state = SELECTION_FAILED;
    members[2].state = SELECTION_DUPLICATE;
    find("!" ONE "|: it is broken|: listed twice|");
    assert_statuses(MESSAGES_OK, MESSAGES_FAILED, MESSAGES_DUPLICATE);
}

/* It need not be there, but what is there has to be done. */
TEST(an_instance_that_is_not_enabled)
{
    instances[1].enabled = INSTANCE_DISABLED;
    queues("", "x\n", "");
    find("|: " NOT_JSON "||");
    assert_statuses(MESSAGES_OK, MESSAGES_DISABLED, MESSAGES_OK);
    restart();
    members[1].is_named = true;
    find("!|: " NOT_JSON "||");
    assert_statuses(MESSAGES_OK, MESSAGES_FAILED, MESSAGES_OK);
    restart();
    members[1].is_named = false;
    queue(1, MESSAGE("active", ONE));
    fixture_script("postsuper", SAYS("Deleted: 1 message") "; exit 1");
    find("|" ONE "||");
    act("!|" ONE " done 1: exit status 1||");
}

/* A run whose time is over does nothing more. */
TEST(no_time_left)
{
    struct limits over = {.end = clock_now(), .seconds = 1};

    queues(MESSAGE("active", ONE), "", "");
    find(ONE "|||");
    messages.limits = &over;
    act("!" ONE ": not started within 1s|||");
    assert_asked(0, "");
}

/* How messages are read. */

static void note_content(void *context, const struct message *message)
{
    char *recipients = json_dumps(message->recipients, JSON_COMPACT);

    utstring_printf(context, "%s %s %s %d %d %d %s", message->queue, message->id, message->sender,
                    (int)message->arrival, (int)message->size, message->is_expired, recipients);
    free(recipients);
}

/* Searches only the first instance, whose queue has this line. */
static void find_in(const char *line)
{
    char *lines = alloc_format("%s\n", line);

    queue(0, lines);
    selection.member_count = 1;
    messages_find(&messages);
    free(lines);
}

/* The reply of another host gets into a delay reason byte by byte: invalid UTF-8 is replaced. */
TEST(a_line_of_postqueue)
{
    list();
    messages.found = note_content;
    find_in(LINE(", \"recipients\": [{\"address\": \"b\", \"delay_reason\": \"\xe2\x82 \xf5\"}], "
                 "\"forced_expire\": true, \"new\": [1]"));
    assert_string_equal(
        utstring_body(&listed),
        "deferred 4F2A1B3C5D Anna@example.com 1700000000 2048 1 [{\"address\":\"b\","
        "\"delay_reason\":\"\xef\xbf\xbd\xef\xbf\xbd \xef\xbf\xbd\"}]");
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
        {HELD("ALL"), "no valid queue_id"},
        {"{\"queue_name\": \"hold\", \"queue_id\": \"" ONE "\", \"sender\": \"\", "
         "\"arrival_time\": \"1\"}",
         "no valid arrival_time"},
        {OBJECT("hold", ONE, "-1", "s", NOBODY), "no valid message_size"},
        {OBJECT("hold", ONE, "1.5", "s", NOBODY), "no valid message_size"},
        {LINE(""), "no valid recipients"},
        {LINE(", \"recipients\": {}"), "no valid recipients"},
        {LINE(", \"recipients\": [\"b\"]"), "no valid recipients"},
        {LINE(", \"recipients\": [{}]"), "no valid recipients"},
        {LINE(", \"recipients\": [{\"address\": \"b\", \"delay_reason\": 4}]"),
         "no valid recipients"},
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
#define NO_BOUNDS .before = INT64_MAX, .larger = -1
#define BY(key, pattern)                                                                           \
    {                                                                                              \
        NO_BOUNDS, .patterns[MESSAGE_BY_##key] = pattern                                           \
    }
    static const char line[] = LINE(RECIPIENTS),
                      bounce[] = OBJECT("hold", ONE, "1", "MAILER-DAEMON", NOBODY);
    static const struct {
        struct message_filter filter;
        bool passes;
        const char *line;
    } cases[] = {
        {{NO_BOUNDS}, true, line},
        {{.before = 1700000000, .larger = 2047}, true, line},
        {{.before = 1699999999, .larger = -1}, false, line},
        {{.before = INT64_MAX, .larger = 2048}, false, line},
        {BY(QUEUE, "deferred"), true, line},
        {BY(QUEUE, "hold"), false, line},
        {BY(SENDER, "anna@*"), true, line},
        {BY(SENDER, "anna"), false, line},
        {BY(SENDER, "<>"), false, line},
        {BY(SENDER, "<>"), true, bounce},
        {BY(SENDER, "mailer-daemon"), true, bounce},
        {BY(SENDER, "*@*"), false, bounce},
        {BY(RECIPIENT, "*@TWO.example"), true, line},
        {BY(RECIPIENT, "*@three.example"), false, line},
        {BY(RECIPIENT, "*"), false, bounce},
        {BY(REASON, "*REFUSED*"), true, line},
        {BY(REASON, "*timed out*"), false, line},
        /* each by another recipient */
        {{NO_BOUNDS, .patterns[MESSAGE_BY_RECIPIENT] = "c@*",
          .patterns[MESSAGE_BY_REASON] = "*refused"},
         true,
         line},
        {{NO_BOUNDS, .patterns[MESSAGE_BY_RECIPIENT] = "c@*", .patterns[MESSAGE_BY_SENDER] = "x"},
         false,
         line},
    };

    for (size_t i = 0; i < COUNT(cases); i++) {
        list();
        messages.filter = cases[i].filter;
        find_in(cases[i].line);
        if ((utstring_len(&listed) > 0) != cases[i].passes)
            fail_msg("filter %zu", i);
        restart();
    }
}

/* Counts two messages, and compares "KEY MESSAGES BYTES;" for each kind. */
static void assert_counts(enum message_key by, const char *expected)
{
    messages.verb = MESSAGE_COUNT;
    messages.by = by;
    messages_find(&messages);
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
    messages_find(&messages);
    assert_true(messages.counted.bytes == INT64_MAX);
    assert_true(messages.counts->tally.bytes == INT64_MAX);
}

/* What names messages: the refusal, since no instance is selected. "": none; NULL: an error. */
TEST(lines_that_name_messages)
{
#define ID "4F2A1B3C5D"
#define MISSING(text) text ": no such message\n"
#define ABSENT(text) text ": no such instance is selected\n"
    static const char *const cases[][2] = {
        {ID, MISSING(ID)},
        {"000001", MISSING("000001")},
        {"F423FFFFFFFFFFFFFFFFF", MISSING("F423FFFFFFFFFFFFFFFFF")},
        {"3PTb9R4sdCzKnBs", MISSING("3PTb9R4sdCzKnBs")},
        {"4YjJ7z2TzkzKnBs", MISSING("4YjJ7z2TzkzKnBs")},
        {"zzzzzzzzzzz1", MISSING("zzzzzzzzzzz1")},
        {"ALL", NULL},
        {"00001", NULL},
        {"4f2a1b3c5d", NULL},
        {"4F2A1B3C5G", NULL},
        {"-F2A1B3C5D", NULL},
        {"4F2A1B 3C5D", NULL},
        {"3PTb9R4sdCz", NULL},    /* no inode number */
        {"3PTb9R4sdzKnBs", NULL}, /* no microseconds */
        {"3PTb9R4sdCKnBs", NULL}, /* no z */
        {"3PTa9R4sdCzKnBs", NULL},
        {"3PTb9R4sdCz../..", NULL},
        {"000000000000000000000000000000000", NULL}, /* 33 */
        {ID "\r", MISSING(ID)},
        {ID "  ", MISSING(ID)},
        {"out/" ID, ABSENT("out/" ID)},
        {"-/" ID, ABSENT("-/" ID)},
        {"/etc/postfix-a/3PTb9R4sdCzKnBs", ABSENT("/etc/postfix-a/3PTb9R4sdCzKnBs")},
        {ID "*    2048 Tue Nov 14 22:13:20  a@b", MISSING(ID)},
        {ID "!#   2048 Tue Nov 14 22:13:20  a@b", MISSING(ID)},
        {ID "*#", MISSING(ID)},
        {"{\"queue_id\": \"" ID "\", \"sender\": \"\xff\"}", MISSING(ID)},
        {"{\"queue_id\": \"" ID "\", \"config_directory\": \"/etc/a\"}", ABSENT("/etc/a/" ID)},
        {"", ""},
        {"\r", ""},
        {"-Queue ID-  --Size-- ----Arrival Time---- -Sender/Recipient-------", ""},
        {"----Queue ID----- --Size-- ---Arrival Time---- --Sender/Recipient------", ""},
        {"(4F2A1B3C5D refused)", ""},
        {"           4F2A1B3C5D@example.com", ""},
        {"-- 5 Kbytes in 2 Requests.", ""},
        {"Mail queue is empty", ""},
        {"-d", NULL},
        {"/" ID, NULL},
        {ID "/", NULL},
        {ID " 5F2A1B3C5D", NULL},
        {ID " 123456", NULL},
        {"postqueue: fatal: " ID, NULL},
        {"{\"queue_id\": \"ALL\"}", NULL},
        {"{\"queue_id\": 5}", NULL},
        {"{\"queue_id\": \"" ID "\", \"config_directory\": 5}", NULL},
        {"{\"queue_id\": \"" ID "\"", NULL},
        {"{/" ID, NULL},
    };

    selection.member_count = 0;
    for (size_t i = 0; i < COUNT(cases); i++) {
        const char *expected = cases[i][1];
        enum message_operand result = name(cases[i][0]);

        if (result != (expected == NULL      ? MESSAGE_OPERAND_BAD
                       : expected[0] == '\0' ? MESSAGE_OPERAND_NONE
                                             : MESSAGE_OPERAND_ID))
            fail_msg("%s", cases[i][0]);
        messages_find(&messages);
        fixture_assert_lines(messages.refusals, expected == NULL ? "" : expected);
        restart();
    }
    assert_int_equal(messages_name(&messages, ID "\0", 11), MESSAGE_OPERAND_BAD);
    assert_int_equal(messages_name(&messages, "\0" ID, 11), MESSAGE_OPERAND_BAD);
    assert_int_equal(messages_name(&messages, "4F2A1B\0C5D", 10), MESSAGE_OPERAND_BAD);
}
