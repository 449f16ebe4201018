/* SPDX-License-Identifier: MIT */
/*
 * message: finds messages in the queues of the selected instances with postqueue(1), counts them,
 * and acts on them with postsuper(1).
 */
#ifndef MESSAGE_H
#define MESSAGE_H

#include "postfix/selection.h"
#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

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

/* Finds the verb of that name. Returns false if there is none. */
bool message_find_verb(const char *name, enum message_verb *verb);

/* The queues that postqueue(1) lists. */
#define MESSAGE_QUEUES 5
extern const char *const message_queues[MESSAGE_QUEUES];

/* One message. The strings belong to object. */
struct message {
    json_t *object; /* as postqueue(1) printed it */
    const char *queue;
    const char *id;
    const char *sender;       /* MAILER-DAEMON for the empty one */
    const json_t *recipients; /* an array */
    size_t recipient_count;
    int64_t arrival; /* seconds since 1970 */
    int64_t size;    /* bytes */
    bool is_expired; /* forced to expire */
};

/* Returns the address of recipient number index, and in *reason why its delivery is delayed, or
 * NULL. Both belong to the message. */
const char *message_recipient(const struct message *message, size_t index, const char **reason);

/* Which messages are wanted: those that meet every condition. Patterns are as in fnmatch(3), upper
 * and lower case alike. */
struct message_filter {
    const char *sender;    /* pattern; "<>" and "MAILER-DAEMON" are the empty one; or NULL */
    const char *recipient; /* pattern for at least one of the recipients, or NULL */
    const char *reason;    /* pattern for at least one of the delay reasons, or NULL */
    const char *queue;     /* name, or NULL */
    int64_t before;        /* arrived then or earlier: seconds since 1970 */
    int64_t larger;        /* more bytes than that */
};

/* The filter that every message passes. */
#define MESSAGE_FILTER_ALL ((struct message_filter){.before = INT64_MAX, .larger = -1})

/*
 * Operands: which messages are meant.
 */

enum message_operand {
    MESSAGE_OPERAND_NONE, /* a line that is not about a message: a heading of mailq(1) and so on */
    MESSAGE_OPERAND_ID,
    MESSAGE_OPERAND_BAD,
};

/*
 * Parses a line, without its newline, that may name a message: an operand; a line of mailq(1),
 * whose IDs end in * for active, ! for held, and # for expired mail (postqueue(1)); an object of
 * postqueue(1) -j, or one of ours, which has the instance's config_directory. If it does, the ID is
 * in id, and the instance, a new string or NULL, in *instance, otherwise NULL. A queue ID is five
 * or more digits of microseconds and an inode number, in upper-case hexadecimal; or, with
 * enable_long_queue_ids, a time and an inode number with a z between them, without vowels
 * (postconf(5)).
 */
enum message_operand message_parse_line(const char *line, size_t length, char **instance,
                                        char id[MESSAGE_ID_SIZE]);

/*
 * Counts: how many messages there are of each kind.
 */

/* What the counts are for. */
enum message_key {
    MESSAGE_BY_NOTHING, /* all together */
    MESSAGE_BY_SENDER,
    MESSAGE_BY_RECIPIENT,
    MESSAGE_BY_DOMAIN, /* of the recipients, in lower case */
    MESSAGE_BY_REASON,
    MESSAGE_BY_QUEUE,
    MESSAGE_BY_INSTANCE,
    MESSAGE_KEYS,
};

/* Their names; NULL for MESSAGE_BY_NOTHING. */
extern const char *const message_keys[MESSAGE_KEYS];

struct message_count {
    uint64_t messages;
    uint64_t bytes;

    /* private */
    uint64_t last; /* the number of the message that was counted last */
    UT_hash_handle hh;
    char key[];
};

struct message_counts {
    /* those with most messages first, then those with most bytes, then by name; hh.next leads to
     * the others */
    struct message_count *first;
    enum message_key by;
    uint64_t messages; /* all that were counted */
    uint64_t bytes;
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

/* The messages in one of the selected instances. */
struct messages_part {
    const struct selection_member *member;
    char *reason;    /* why it has failed, or is a duplicate; or NULL */
    bool is_running; /* a program that has not ended, or is not started yet */
    bool is_wanted;  /* false: only messages of other instances were named */
    UT_array *ids;   /* to act on: elements of MESSAGE_ID_SIZE bytes, sorted */
    size_t done;     /* as postsuper(1) has reported */
    bool is_unknown; /* it has not, so that any number may be done */
    size_t gone;     /* had left the queue, or were in the wanted state, when it was asked */

    /* private */
    bool is_excused; /* when it fails before something is done */
    struct messages *all;
    UT_array *settings;
    size_t lines;
    size_t kinds;  /* keys of the counts that it was the first to have */
    bool *is_left; /* one for each of the ids: it is still to be done */
    bool has_report;
    char *last_error;
};

struct messages {
    /* set by the caller, the rest zero */
    enum message_verb verb;
    struct message_filter filter;
    bool is_named;         /* only messages that are named are wanted: messages_name() */
    const char *directory; /* of Postfix's programs: the default instance's command_directory */
    const char *daemon_directory; /* the default instance's */
    const struct limits *limits;
    struct master_locks *locks;
    size_t maximum; /* messages to act on, and keys that are counted, of one instance */
    /* With MESSAGE_LIST: called for each message, in the order of the instances. */
    void (*found)(void *context, const struct messages_part *part, const struct message *message);
    /* Called after each second of waiting, unless NULL. */
    void (*waiting)(void *context);
    void *context;

    struct messages_part *parts; /* in the order of the selection */
    size_t count;
    struct message_counts counts; /* of MESSAGE_COUNT; by is set by the caller */
    UT_array *refusals; /* strings: messages that were named and are not acted on, and why */

    /* private */
    struct wish *wishes;
    const struct host *host;
    bool is_checking; /* what postsuper(1) has left */
};

/*
 * Plans the search in the members of a selection that is marked, which has to remain valid. Refused
 * are: an instance that has failed; one with another daemon_directory, whose showq(8) postqueue(1)
 * runs when no socket answers, whether a master(8) seems to run or not; and, unless messages are
 * only listed or counted, one where a directory of the queue is a link, or another instance's too;
 * the one of them whose master(8) is proven to run there is not. messages_free() empties *messages.
 */
void messages_plan(struct messages *messages, const struct selection *selection);

/* Names a message that is wanted; instance is a name as with -i, or NULL: whichever instance has
 * it. */
void messages_name(struct messages *messages, const char *instance, const char *id);

/* Runs postqueue(1) in the instances, several at once, and finds the messages that pass the filter
 * and are named, if any are; with MESSAGE_COUNT, counts them. Held mail is requeued only if the
 * filter says "hold", or it is named. Messages that are already in the
 * wanted state are left out. */
void messages_find(struct messages *messages);

/* Runs postsuper(1) for the messages found, and determines the state of those that it did not
 * count. */
void messages_act(struct messages *messages);

/* Returns the result in the part's instance. */
enum messages_status messages_status(const struct messages_part *part);

/* Whether no part has failed, and there are no errors. */
bool messages_succeeded(const struct messages *messages);

/* Returns how many messages were found to act on. */
size_t messages_total(const struct messages *messages);

/* Empties it. */
void messages_free(struct messages *messages);

#endif
