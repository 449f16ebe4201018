/* SPDX-License-Identifier: MIT */
/*
 * message: finds messages in the queues of the selected instances with postqueue(1), counts them,
 * and acts on them with postsuper(1).
 */
#ifndef MESSAGE_H
#define MESSAGE_H

#include "base/process.h"
#include "postfix/queue.h"
#include "postfix/selection.h"
#include <jansson.h>

/* Room for a queue ID and its NUL. */
#define MESSAGE_ID_SIZE 33

/* How many messages of an instance are acted on, or keys counted, so that memory is bounded. */
#define MESSAGES_MAXIMUM ((size_t)1000 * 1000)

/* The verbs. */
enum message_verb {
    MESSAGE_LIST,
    MESSAGE_COUNT,
    /* done by postsuper(1) */
    MESSAGE_HOLD,
    MESSAGE_RELEASE,
    MESSAGE_REQUEUE,
    MESSAGE_DELETE,
    MESSAGE_EXPIRE,
    MESSAGE_VERBS,
};

struct message_verb_row {
    const char *name;
    const char *option; /* of postsuper(1); NULL: that is not run */
    const char *report; /* how it begins its final line */
    const char *done;   /* "held", "released" and so on */
};

/* The verbs, in the order of enum message_verb. */
extern const struct message_verb_row message_verbs[MESSAGE_VERBS];

/* What messages are chosen by, and counted for. */
enum message_key {
    MESSAGE_BY_NOTHING, /* all together */
    MESSAGE_BY_SENDER,
    MESSAGE_BY_RECIPIENT,
    MESSAGE_BY_DOMAIN, /* of the recipients, in lower case; "" is local */
    MESSAGE_BY_REASON, /* why delivery to a recipient is delayed */
    MESSAGE_BY_QUEUE,
    MESSAGE_BY_INSTANCE,
    MESSAGE_KEYS,
};

/* Their names; NULL for MESSAGE_BY_NOTHING. */
extern const char *const message_keys[MESSAGE_KEYS];

/* One message. The strings belong to object. */
struct message {
    const struct messages_part *part; /* where it is */
    json_t *object;                   /* as postqueue(1) printed it */
    const char *queue;
    const char *id;
    const char *sender;       /* MAILER-DAEMON for the empty one */
    const json_t *recipients; /* an array of objects, each with an address */
    int64_t arrival;          /* seconds since 1970 */
    int64_t size;             /* bytes */
    bool is_expired;          /* forced to expire */
};

/* Which messages are wanted: those that meet every condition. */
struct message_filter {
    /* For each key a pattern as in fnmatch(3), upper and lower case alike, which one of the
     * message's values has to match; or NULL. The sender "<>" is the empty one. */
    const char *patterns[MESSAGE_KEYS];
    int64_t before; /* arrived then or earlier: seconds since 1970 */
    int64_t larger; /* more bytes than that */
};

/* The filter that every message passes. */
#define MESSAGE_FILTER_ALL ((struct message_filter){.before = INT64_MAX, .larger = -1})

/* How many messages there are with the same value of a key. */
struct message_count {
    struct queue_tally tally;

    /* private */
    int64_t last; /* the number of the message that was counted last */
    UT_hash_handle hh;
    char key[];
};

/*
 * The messages in all selected instances, and the results of acting on them.
 */

enum messages_status {
    MESSAGES_OK,
    MESSAGES_FAILED,
    MESSAGES_DISABLED, /* failed, but it need not be there: it is not enabled and was not named */
    MESSAGES_DUPLICATE,
};

/* One that is to be acted on. */
struct message_id {
    char text[MESSAGE_ID_SIZE];

    /* private */
    bool is_left; /* it is still to be done */
};

/* The messages in one of the selected instances. */
struct messages_part {
    const struct selection_member *member;
    enum messages_status status;
    char *reason;    /* why it has failed, or is a duplicate; or NULL */
    bool is_running; /* a program that has not ended, or is not started yet */
    bool is_wanted;  /* false: only messages of other instances were named */
    UT_array *ids;   /* of struct message_id, sorted */
    size_t done;     /* as postsuper(1) has reported */
    bool is_unknown; /* it has not, so that any number may be done */
    size_t gone;     /* had left the queue, or were in the wanted state, when it was asked */

    /* private */
    struct messages *all;
    struct process child;
    UT_array *settings;
    UT_string input;
    size_t lines;
    size_t keys; /* that it was the first to have */
    char *last_error;
};

struct messages {
    /* set by the caller, the rest zero */
    const struct selection *selection; /* that is marked, and has to remain valid */
    enum message_verb verb;
    struct message_filter filter;
    enum message_key by;   /* with MESSAGE_COUNT */
    bool is_named;         /* only messages that are named are wanted: messages_name() */
    const char *directory; /* of Postfix's programs: the default instance's command_directory */
    const char *daemon_directory; /* the default instance's */
    struct limits *limits;
    struct master_locks *locks;
    size_t maximum; /* messages to act on, and keys that are counted, of one instance */
    /* With MESSAGE_LIST: called for each message, in the order of the instances. */
    void (*found)(void *context, const struct message *message);
    /* Called after each second of waiting, unless NULL. */
    void (*waiting)(void *context);
    void *context;
    UT_array *refusals; /* of strings, empty; then: messages that were named and are not acted on,
                           and why. Is freed with the rest. */

    struct messages_part *parts; /* in the order of the selection */
    size_t count;
    bool is_well; /* no part has failed, and nothing was refused */
    size_t total; /* messages that were found to act on */
    /* With MESSAGE_COUNT: the values of the key, those with most messages first, then those with
     * most bytes, then by name; hh.next leads to the others. And the sum. */
    struct message_count *counts;
    struct queue_tally counted;

    /* private */
    struct wish *wishes;
    bool is_checking; /* what postsuper(1) has left */
};

enum message_operand {
    MESSAGE_OPERAND_NONE, /* not about a message: a heading of mailq(1) and so on */
    MESSAGE_OPERAND_ID,
    MESSAGE_OPERAND_BAD,
};

/*
 * With is_named, names a message that is wanted, before messages_find(). The line, without its
 * newline, may be "ID", in whichever instance it is; "INSTANCE/ID", with the instance as with -i; a
 * line of mailq(1), which marks the IDs of active, held and expired mail with * ! # (postqueue(1));
 * an object of postqueue(1) -j, or one of ours, which has the instance's config_directory. A queue
 * ID is five or more digits of microseconds and an inode number, in upper-case hexadecimal; or,
 * with enable_long_queue_ids, a time and an inode number with a z between them, without vowels
 * (postconf(5)).
 */
enum message_operand messages_name(struct messages *messages, const char *line, size_t length);

/*
 * Runs postqueue(1) in the members of the selection, several at once, and finds the messages that
 * pass the filter and are named, if any are; with MESSAGE_COUNT, counts them. Held mail is requeued
 * only if the filter says "hold", or it is named. Messages that are already in the wanted state are
 * left out.
 *
 * Refused are: an instance that has failed; one with another daemon_directory, whose showq(8)
 * postqueue(1) runs when no socket answers, whether a master(8) seems to run or not; and, unless
 * messages are only listed or counted, one where a directory of the queue is a link, or another
 * instance's too; the one of them whose master(8) is proven to run there is not.
 */
void messages_find(struct messages *messages);

/* Runs postsuper(1) for the messages found, and determines the state of those that it did not
 * count. */
void messages_act(struct messages *messages);

/* Empties it. */
void messages_free(struct messages *messages);

#endif
