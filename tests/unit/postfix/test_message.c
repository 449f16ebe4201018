/* SPDX-License-Identifier: MIT */
/* Messages: their parsing, filters and counts; operands; reports of postsuper. */
#include "fixture.h"
#include "postfix/message.h"

#define LINE(members)                                                                              \
    "{\"queue_name\": \"deferred\", \"queue_id\": \"4F2A1B3C5D\", \"arrival_time\": 1700000000, "  \
    "\"message_size\": 2048, \"sender\": \"Anna@example.com\"" members "}"
#define RECIPIENTS                                                                                 \
    ", \"recipients\": [{\"address\": \"b@One.example\", \"delay_reason\": \"Connection "          \
    "refused\"}, "                                                                                 \
    "{\"address\": \"c@two.example\"}, {\"address\": \"d@one.example\"}]"

static struct message parsed(const char *line)
{
    struct message message;
    char *error = NULL;

    if (!message_parse(&message, line, strlen(line), &error))
        fail_msg("%s: %s", error, line);
    return message;
}

TEST(a_line_of_postqueue)
{
    struct message message = parsed(LINE(RECIPIENTS ", \"forced_expire\": true, \"new\": [1]"));
    const char *reason;

    assert_string_equal(message.queue, "deferred");
    assert_string_equal(message.id, "4F2A1B3C5D");
    assert_string_equal(message.sender, "Anna@example.com");
    assert_int_equal(message.arrival, 1700000000);
    assert_int_equal(message.size, 2048);
    assert_true(message.is_expired);
    assert_int_equal(message.recipient_count, 3);
    assert_string_equal(message_recipient(&message, 0, &reason), "b@One.example");
    assert_string_equal(reason, "Connection refused");
    assert_string_equal(message_recipient(&message, 1, &reason), "c@two.example");
    assert_null(reason);
    message_free(&message);
}

/* The reply of another host gets into a delay reason byte by byte. */
TEST(invalid_utf8_is_replaced)
{
    struct message message = parsed(
        LINE(", \"recipients\": [{\"address\": \"b\", \"delay_reason\": \"\xe2\x82 \xf5\"}]"));
    const char *reason;

    (void)message_recipient(&message, 0, &reason);
    assert_string_equal(reason, "\xef\xbf\xbd\xef\xbf\xbd \xef\xbf\xbd");
    message_free(&message);
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
        {"[]", "queue_name"},
        {"{}", "queue_name"},
        {"{\"queue_name\": 5}", "queue_name"},
        {"{\"queue_name\": \"hold\", \"queue_id\": [\"4F2A1B3C5D\"]}", "queue_id"},
        {"{\"queue_name\": \"hold\", \"queue_id\": \"ALL\", \"sender\": \"\", "
         "\"arrival_time\": 1, \"message_size\": 1}",
         "queue_id"},
        {"{\"queue_name\": \"hold\", \"queue_id\": \"4F2A1B3C5D\", \"sender\": \"\", "
         "\"arrival_time\": \"1\"}",
         "arrival_time"},
        {"{\"queue_name\": \"hold\", \"queue_id\": \"4F2A1B3C5D\", \"sender\": \"\", "
         "\"arrival_time\": 1, \"message_size\": -1}",
         "message_size"},
        {"{\"queue_name\": \"hold\", \"queue_id\": \"4F2A1B3C5D\", \"sender\": \"\", "
         "\"arrival_time\": 1, \"message_size\": 1.5}",
         "message_size"},
        {LINE(""), "recipients"},
        {LINE(", \"recipients\": {}"), "recipients"},
        {LINE(", \"recipients\": [\"b\"]"), "recipients"},
        {LINE(", \"recipients\": [{}]"), "recipients"},
        {LINE(", \"recipients\": [{\"address\": \"b\", \"delay_reason\": 4}]"), "recipients"},
        {LINE(RECIPIENTS ", \"forced_expire\": 1"), "forced_expire"},
    };

    for (size_t i = 0; i < COUNT(cases); i++) {
        struct message message;
        char *error = NULL;

        assert_false(message_parse(&message, cases[i][0], strlen(cases[i][0]), &error));
        assert_memory_equal(error, cases[i][1], strlen(cases[i][1]));
        free(error);
    }
}

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
        {"", false},
        {"ALL", false},
        {"00001", false},
        {"4f2a1b3c5d", false},
        {"4F2A1B3C5D*", false},
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

    for (size_t i = 0; i < COUNT(cases); i++)
        if (message_is_id(cases[i].text, strlen(cases[i].text)) != cases[i].is_id)
            fail_msg("%s", cases[i].text);
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
        {{.before = INT64_MAX, .larger = -1, .queue = "deferred"}, true},
        {{.before = INT64_MAX, .larger = -1, .queue = "hold"}, false},
        {{.before = INT64_MAX, .larger = -1, .sender = "anna@*"}, true},
        {{.before = INT64_MAX, .larger = -1, .sender = "anna"}, false},
        {{.before = INT64_MAX, .larger = -1, .sender = "<>"}, false},
        {{.before = INT64_MAX, .larger = -1, .recipient = "*@TWO.example"}, true},
        {{.before = INT64_MAX, .larger = -1, .recipient = "*@three.example"}, false},
        {{.before = INT64_MAX, .larger = -1, .reason = "*REFUSED*"}, true},
        {{.before = INT64_MAX, .larger = -1, .reason = "*timed out*"}, false},
        /* each by another recipient */
        {{.before = INT64_MAX, .larger = -1, .recipient = "c@*", .reason = "*refused"}, true},
        {{.before = INT64_MAX, .larger = -1, .recipient = "c@*", .sender = "x"}, false},
    };
    struct message message = parsed(LINE(RECIPIENTS));

    for (size_t i = 0; i < COUNT(cases); i++)
        if (message_passes(&message, &cases[i].filter) != cases[i].passes)
            fail_msg("filter %zu", i);
    message_free(&message);
}

TEST(the_empty_sender)
{
    static const char *const senders[] = {"MAILER-DAEMON", ""};
    struct message_filter filter = MESSAGE_FILTER_ALL;
    struct message message = parsed(LINE(RECIPIENTS));

    for (size_t i = 0; i < COUNT(senders); i++) {
        message.sender = senders[i];
        filter.sender = "<>";
        assert_true(message_passes(&message, &filter));
        filter.sender = "mailer-daemon";
        assert_true(message_passes(&message, &filter));
        filter.sender = "*@*";
        assert_false(message_passes(&message, &filter));
    }
    message_free(&message);
}

TEST(what_a_verb_has_to_do)
{
    static const struct {
        enum message_verb verb;
        const char *queue;
        bool is_expired;
        enum message_fitness fitness;
    } cases[] = {
        {MESSAGE_HOLD, "active", false, MESSAGE_FITS},
        {MESSAGE_HOLD, "hold", false, MESSAGE_IS_DONE},
        {MESSAGE_HOLD, "maildrop", false, MESSAGE_CANNOT},
        {MESSAGE_RELEASE, "hold", true, MESSAGE_FITS},
        {MESSAGE_RELEASE, "deferred", false, MESSAGE_IS_DONE},
        {MESSAGE_REQUEUE, "hold", false, MESSAGE_FITS},
        {MESSAGE_REQUEUE, "maildrop", false, MESSAGE_IS_DONE},
        {MESSAGE_DELETE, "maildrop", false, MESSAGE_FITS},
        {MESSAGE_EXPIRE, "hold", false, MESSAGE_FITS},
        {MESSAGE_EXPIRE, "deferred", true, MESSAGE_IS_DONE},
        {MESSAGE_EXPIRE, "maildrop", false, MESSAGE_CANNOT},
    };
    struct message message = parsed(LINE(RECIPIENTS));

    for (size_t i = 0; i < COUNT(cases); i++) {
        message.queue = cases[i].queue;
        message.is_expired = cases[i].is_expired;
        assert_int_equal(message_fitness(&message, cases[i].verb), cases[i].fitness);
    }
    message_free(&message);
}

/* As Postfix 3.5 to 3.12 print them, and what main.cf can make them print. */
TEST(reports_of_postsuper)
{
    static const struct {
        const char *line;
        enum message_verb verb;
        int done; /* -1: it is none */
    } cases[] = {
        {"postsuper: Requeued: 3 messages", MESSAGE_REQUEUE, 3},
        {"postsuper: Requeued: 1 message", MESSAGE_REQUEUE, 1},
        {"postsuper: Deleted: 0 messages", MESSAGE_DELETE, 0},
        {"postsuper: Force-expired: 100000 messages", MESSAGE_EXPIRE, 100000},
        {"postsuper: Placed on hold: 2 messages", MESSAGE_HOLD, 2},
        {"postsuper: Released from hold: 2 messages", MESSAGE_RELEASE, 2},
        {"postsuper: Deleted: 3 messages", MESSAGE_REQUEUE, -1},
        {"postsuper: warning: x: postsuper: Requeued: 3 messages", MESSAGE_REQUEUE, -1},
        {" postsuper: Requeued: 3 messages", MESSAGE_REQUEUE, -1},
        {"postsuper: Requeued: 3 messages?", MESSAGE_REQUEUE, -1},
        {"postsuper: Requeued: -3 messages", MESSAGE_REQUEUE, -1},
        {"postsuper: Requeued: messages", MESSAGE_REQUEUE, -1},
        {"postsuper: 4F2A1B3C5D: requeued", MESSAGE_REQUEUE, -1},
    };

    for (size_t i = 0; i < COUNT(cases); i++) {
        size_t done = 0;

        if (message_read_report(cases[i].line, cases[i].verb, &done) != (cases[i].done >= 0) ||
            (cases[i].done >= 0 && done != (size_t)cases[i].done))
            fail_msg("%s", cases[i].line);
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

    for (size_t i = 0; i < COUNT(cases); i++) {
        char id[MESSAGE_ID_SIZE], *instance;

        if (message_parse_line(cases[i].line, strlen(cases[i].line), &instance, id) !=
            cases[i].result)
            fail_msg("%s", cases[i].line);
        if (cases[i].result == MESSAGE_OPERAND_ID)
            assert_string_equal(id, cases[i].id);
        assert_string_equal(instance == NULL ? "" : instance,
                            cases[i].instance == NULL ? "" : cases[i].instance);
        free(instance);
    }
}

TEST(a_line_with_a_nul)
{
    char id[MESSAGE_ID_SIZE], *instance;

    assert_int_equal(message_parse_line("4F2A1B3C5D\0", 11, &instance, id), MESSAGE_OPERAND_BAD);
    assert_int_equal(message_parse_line("4F2A1B\0C5D", 10, &instance, id), MESSAGE_OPERAND_BAD);
}

/* Counts two messages, and compares "KEY MESSAGES BYTES;" for each kind. */
static void assert_counts(enum message_key by, const char *expected)
{
    static const char second[] =
        "{\"queue_name\": \"hold\", \"queue_id\": \"5F2A1B3C5D\", \"arrival_time\": 1, "
        "\"message_size\": 1000, \"sender\": \"z\", \"recipients\": "
        "[{\"address\": \"b@two.example\"}, {\"address\": \"local\"}]}";
    struct message messages[] = {parsed(LINE(RECIPIENTS)), parsed(second)};
    struct message_counts counts = {.by = by};
    UT_string text;

    message_counts_add(&counts, &messages[0], "postfix-a");
    message_counts_add(&counts, &messages[1], "postfix-b");
    message_counts_sort(&counts);
    utstring_init(&text);
    for (struct message_count *count = counts.first; count != NULL; count = count->hh.next)
        utstring_printf(&text, "%s %d %d;", count->key, (int)count->messages, (int)count->bytes);
    assert_string_equal(utstring_body(&text), expected);
    assert_int_equal(counts.messages, 2);
    assert_int_equal(counts.bytes, 3048);
    utstring_done(&text);
    message_counts_free(&counts);
    message_free(&messages[0]);
    message_free(&messages[1]);
}

TEST(counts)
{
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
    struct message message = parsed(LINE(RECIPIENTS));
    struct message_counts counts = {.by = MESSAGE_BY_SENDER};

    message.size = INT64_MAX;
    for (int i = 0; i < 3; i++)
        message_counts_add(&counts, &message, "");
    assert_true(counts.bytes == INT64_MAX);
    assert_true(counts.first->bytes == INT64_MAX);
    message_counts_free(&counts);
    message_free(&message);
}
