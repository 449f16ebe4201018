/* SPDX-License-Identifier: MIT */
/*
 * message: one message in an instance's queue, as postqueue(1) -j lists it: which ones are wanted,
 * how many there are of each kind, and what postsuper(1) says it has done with them.
 */
#ifndef MESSAGE_H
#define MESSAGE_H

#include "base/alloc.h"
#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Room for a queue ID and its NUL. */
#define MESSAGE_ID_SIZE 33

/* What can be done. */
enum message_verb {
    MESSAGE_LIST,
    MESSAGE_COUNT,
    /* what postsuper(1) does */
    MESSAGE_HOLD,
    MESSAGE_RELEASE,
    MESSAGE_REQUEUE,
    MESSAGE_DELETE,
    MESSAGE_EXPIRE,
    MESSAGE_VERBS,
};

struct message_verb_row {
    const char *name;
    const char *option; /* of postsuper(1); NULL: it is not asked */
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

/*
 * Parses a line of postqueue(1) -j (JSON OBJECT FORMAT there), without its newline. Invalid UTF-8,
 * which another host's reply can bring into a delay reason, becomes U+FFFD. Returns true, and
 * message_free() empties *message; or false with a new string in *error when the line is no such
 * object, a member has another type, or the queue ID is none.
 */
bool message_parse(struct message *message, const char *line, size_t length, char **error);

/* Empties it. */
void message_free(struct message *message);

/* Returns the address of recipient number index, and in *reason why its delivery is delayed, or
 * NULL. Both belong to the message. */
const char *message_recipient(const struct message *message, size_t index, const char **reason);

/*
 * Whether length bytes of text are a queue ID: five or more digits of microseconds and an inode
 * number, in upper-case hexadecimal; or, with enable_long_queue_ids, a time and an inode number
 * with a z between them, without vowels (postconf(5)).
 */
bool message_is_id(const char *text, size_t length);

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

/* Whether the message passes. */
bool message_passes(const struct message *message, const struct message_filter *filter);

/* Whether a verb of postsuper(1) has something to do to a message. */
enum message_fitness {
    MESSAGE_FITS,
    MESSAGE_IS_DONE, /* it is in that state already */
    MESSAGE_CANNOT,  /* mail in maildrop can only be deleted (postsuper(1)) */
};

enum message_fitness message_fitness(const struct message *message, enum message_verb verb);

/*
 * Reads a line that postsuper(1) wrote to standard error, without its newline. Returns whether it
 * is the report of that verb ("postsuper: Requeued: 3 messages"), with the number in *done. The
 * line has to be that and nothing else: main.cf can make postsuper(1) print warnings.
 */
bool message_read_report(const char *line, enum message_verb verb, size_t *done);

/*
 * Operands: which messages are meant.
 */

enum message_operand {
    MESSAGE_OPERAND_NONE, /* a line that is not about a message: a heading of mailq(1) and so on */
    MESSAGE_OPERAND_ID,
    MESSAGE_OPERAND_BAD,
};

/* Parses "ID" or "INSTANCE/ID", length bytes. Returns whether it is that, with the ID in id and
 * the instance, a new string or NULL, in *instance. */
bool message_parse_operand(const char *text, size_t length, char **instance,
                           char id[MESSAGE_ID_SIZE]);

/*
 * Parses a line, without its newline, that may name a message: an operand; a line of mailq(1),
 * whose IDs end in * for active, ! for held, and # for expired mail (postqueue(1)); an object of
 * postqueue(1) -j, or one of ours, which has the instance's config_directory. Results as from
 * message_parse_operand().
 */
enum message_operand message_parse_line(const char *line, size_t length, char **instance,
                                        char id[MESSAGE_ID_SIZE]);

/*
 * Counts: how many messages there are of each kind.
 */

/* What is counted. */
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
    struct message_count *first; /* hh.next leads to the others */
    enum message_key by;
    uint64_t messages; /* all that were counted */
    uint64_t bytes;
};

/* Counts the message of that instance: once for each of its kinds. */
void message_counts_add(struct message_counts *counts, const struct message *message,
                        const char *instance);

/* Sorts the kinds: those with most messages first, then those with most bytes, then by name. */
void message_counts_sort(struct message_counts *counts);

/* Frees the kinds. */
void message_counts_free(struct message_counts *counts);

#endif
