/* SPDX-License-Identifier: MIT */
/*
 * messages: finds messages in the queues of the selected instances with postqueue(1), and acts on
 * them with postsuper(1).
 */
#ifndef MESSAGES_H
#define MESSAGES_H

#include "postfix/message.h"
#include "postfix/selection.h"

enum messages_status {
    MESSAGES_OK,
    MESSAGES_FAILED,
    MESSAGES_DISABLED, /* failed, but it need not be there: it is not enabled and was not named */
    MESSAGES_DUPLICATE,
};

struct messages;

/* What was found and done in one of the selected instances. */
struct messages_part {
    const struct selection_member *member;
    char *reason;    /* why it has failed, or is a duplicate; or NULL */
    bool is_running; /* a program that has not ended, or is not started yet */
    bool is_wanted;  /* false: only messages of other instances were named */
    UT_array *ids;   /* to act on: elements of MESSAGE_ID_SIZE bytes, sorted */
    size_t done;     /* as postsuper(1) has reported */
    size_t gone;     /* had left the queue, or were in the wanted state, when it was asked */

    /* private */
    bool is_excused; /* when it fails before something is done */
    struct messages *all;
    UT_array *settings;
    size_t lines;
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
    /* With MESSAGE_LIST and MESSAGE_COUNT: called for each message. Listed ones come in the order
     * of the instances. */
    void (*found)(void *context, const struct messages_part *part, const struct message *message);
    /* Called after each second of waiting, unless NULL. */
    void (*waiting)(void *context);
    void *context;

    struct messages_part *parts; /* in the order of the selection */
    size_t count;
    UT_array *mistakes; /* strings: messages that were named, and are not there */

    /* private */
    struct wish *wishes;
    bool is_checking; /* what postsuper(1) has left */
};

/*
 * Plans the search in the members of a selection that is marked, and whose running is set. Refused
 * are: an instance that has failed; one that is not running and has another daemon_directory, whose
 * showq(8) postqueue(1) would run; and, unless messages are only listed or counted, one whose queue
 * directory is another's too. messages_free() empties *messages.
 */
void messages_plan(struct messages *messages, const struct selection *selection);

/* Names a message that is wanted; instance is a name as with -i, or NULL: whichever instance has
 * it. */
void messages_name(struct messages *messages, const char *instance, const char *id);

/* Runs postqueue(1) in the instances, several at once, and finds the messages that pass the filter
 * and are named, if any are. Held mail is requeued only if the filter says "hold", or it is named.
 * What is in the wanted state already is left out. */
void messages_find(struct messages *messages);

/* Runs postsuper(1) for what was found, and finds out what became of messages that it did not
 * count. */
void messages_act(struct messages *messages);

/* Returns how it went in the part's instance. */
enum messages_status messages_status(const struct messages_part *part);

/* Whether no part has failed, and there are no mistakes. */
bool messages_succeeded(const struct messages *messages);

/* Returns how many messages were found to act on. */
size_t messages_total(const struct messages *messages);

/* Empties it. */
void messages_free(struct messages *messages);

#endif
