/* SPDX-License-Identifier: MIT */
/*
 * kick: plans, sends or checks, and explains the kicks: every target in every instance that is
 * served.
 */
#ifndef KICK_H
#define KICK_H

#include "postfix/selection.h"
#include "wire/trigger.h"

enum kick_status {
    KICK_FAILED,
    KICK_KICKED,
    KICK_UNCONFIRMED, /* sent, not read in time */
    KICK_UNFINISHED,  /* read, not closed in time, with wait */
    KICK_DISABLED,
    KICK_DUPLICATE,
    KICK_PLANNED, /* in a dry run: it could be sent */
};

/* One target in one instance. */
struct kick {
    struct selection_member *member;
    const char *class;
    const char *service;     /* for an action: as the instance names it */
    const char *request;     /* the same address for the same text */
    struct trigger *trigger; /* NULL if nothing is to be sent */
    enum kick_status status;
    const struct kick *duplicate_of; /* of KICK_DUPLICATE: whose outcome it shares; no duplicate */
    char *reason;                    /* for an administrator to act on; NULL if all is well */
    bool has_succeeded; /* it does not make the exit status 1; as what it is a duplicate of */
    double seconds;     /* from the start of the trigger to its end; 0 if nothing was sent */

    /* private */
    struct kicks *kicks;
    bool has_claim; /* it opened the endpoint first, and is in the table of claims */
    struct {
        struct endpoint_identity endpoint;
        const char *request;
    } key;
    UT_hash_handle hh;
};

/* Must stay where it is. */
struct kicks {
    /* set by the caller, the rest zero */
    const UT_array *targets; /* of struct target; have to outlive the kicks; see is_probe */
    bool is_action;  /* qmgr and pickup stand for main.cf's queue_ and pickup_service_name */
    int limit;       /* seconds that no limit of an instance exceeds */
    bool is_probe;   /* an empty request, which the queue manager reads and ignores, in place of
                        targets: see trigger.h */
    int whole_limit; /* seconds for each kick as a whole, in place of those limits; 0: they hold */
    bool wait;       /* until the services have finished */
    const struct settings *settings; /* for reasons: to which class a service belongs */
    struct master_locks *locks;      /* for reasons, and for the checks of a dry run */

    struct kick *items; /* in the order of instances, then of targets */
    size_t count;
    bool has_duplicates; /* of endpoints */

    /* private */
    UT_array *probe;          /* the target of is_probe */
    struct trigger *triggers; /* in the order of planning */
    size_t trigger_count;
    struct kick *claims;
};

/*
 * Kicks all targets in the members of a selection that is marked, which has to outlive *kicks:
 * sends the requests at once, and waits. The caller sets the limits, connections and progress of
 * the batch. After an interruption, the outcome of unfinished triggers is TRIGGER_PENDING. Without
 * a batch it is a dry run: makes the same checks, and connects to nothing. Returns 0 or an errno.
 *
 * A kick that opened the same endpoint as another with the same request is a duplicate: it is not
 * sent, and the longer limits of the two hold; when the other finds a different endpoint after its
 * service was restarted, the duplicate is sent too. Nothing else keeps a kick from being sent
 * because of another instance. A member without its queue directory becomes SELECTION_FAILED.
 */
int kicks_run(struct kicks *kicks, struct selection *selection, struct trigger_batch *batch);

/* Frees what kicks_run() has made; the rest belongs to the caller. */
void kicks_free(struct kicks *kicks);

#endif
