/*
 * kick: every target in every instance that is to be served, and what came of it.
 */
#ifndef KICK_H
#define KICK_H

#include "postfix/master.h"
#include "postfix/selection.h"
#include "postfix/target.h"
#include "wire/fanout.h"

enum kick_status {
    KICK_KICKED,
    KICK_UNCONFIRMED, /* sent, not read in time */
    KICK_UNFINISHED,  /* read, not closed in time, with wait */
    KICK_FAILED,
    KICK_DISABLED,
    KICK_DUPLICATE,
    KICK_PLANNED, /* dry run, and nothing stands in the way */
};

/* One target in one instance. */
struct kick {
    const struct selection_member *member;
    const char *class;
    const char *service; /* for an action: as the instance names it */
    const char *request;
    struct trigger *trigger; /* NULL when nothing is sent */
    enum kick_status status;
    char *reason; /* what an administrator can act on; NULL when all is well */
};

struct kicks {
    struct kick *items; /* in the order of instances, then of targets */
    size_t count;
    struct trigger *triggers;
    size_t trigger_count;
};

struct kicks_options {
    const struct limits *limits;
    int connections; /* at once */
    bool wait;       /* until the services have finished */
    void (*progress)(void *context, int64_t now);
    void *context;
};

/*
 * Lays out the kicks of all targets (an array of struct target) for a selection that is judged.
 * is_action: qmgr and pickup mean each instance's queue_service_name and pickup_service_name.
 * kicks_free() empties *kicks; targets and selection must outlive it.
 */
void kicks_plan(struct kicks *kicks, const struct selection *selection, const UT_array *targets,
                bool is_action);

/* Sends all requests at once and waits. Afterwards every kick has its status, those that were
 * interrupted excepted: their trigger's outcome is TRIGGER_PENDING. Returns 0 or an errno. */
int kicks_run(struct kicks *kicks, const struct kicks_options *options);

/* The dry run: makes the same checks and connects to nothing. */
void kicks_check(struct kicks *kicks, struct master_locks *locks);

/* Finds the reasons of those that failed, for people. known_class tells the class that a service
 * is known to have, or NULL. */
void kicks_explain(struct kicks *kicks, struct master_locks *locks,
                   const char *(*known_class)(void *context, const char *service), void *context);

/* Whether the kick counts as served: it does not make the exit status 1. */
bool kick_succeeded(const struct kick *kick);

/* The status as in JSON: "kicked", "unconfirmed" and so on. */
const char *kick_status_name(enum kick_status status);

/* Seconds from the start of the trigger to its end; 0 when nothing was sent. */
double kick_seconds(const struct kick *kick);

/* Empties it. */
void kicks_free(struct kicks *kicks);

#endif
