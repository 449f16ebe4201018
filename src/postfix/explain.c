/* SPDX-License-Identifier: MIT */
/* Finds out why kicks failed. */
#include "postfix/explain.h"
#include "postfix/catalogue.h"
#include <errno.h>
#include <string.h>

struct explainer {
    struct master_locks *locks;
    const struct settings *settings;
};

static const char *other_class(const char *class)
{
    return strcmp(class, "public") == 0 ? "private" : "public";
}

/* Whether the service exists in the other class, or is known to belong there. */
static bool is_of_other_class(const struct kick *kick, const struct explainer *explainer)
{
    const char *other = other_class(kick->class);
    const char *known = catalogue_class(explainer->settings, kick->service);
    struct endpoint endpoint;

    if (known != NULL)
        return strcmp(known, other) == 0;
    enum endpoint_result result =
        endpoint_open(&endpoint, kick->trigger->queue_directory, other, kick->service);
    endpoint_close(&endpoint);
    return result == ENDPOINT_SOCKET || result == ENDPOINT_FIFO;
}

static char *explain_permission(const struct kick *kick)
{
    return alloc_format("permission denied: \"%s\" belongs to %s", kick->class,
                        strcmp(kick->class, "public") == 0 ? "group postdrop" : "the mail owner");
}

static char *explain_missing(const struct kick *kick, const struct explainer *explainer)
{
    enum master_state state = master_state(explainer->locks, kick->trigger->queue_directory);

    if (state == MASTER_STOPPED)
        return alloc_string("not running");
    if (is_of_other_class(kick, explainer))
        return alloc_format("service is %s, not %s", other_class(kick->class), kick->class);
    return alloc_string(state == MASTER_RUNNING ? "no such service in master.cf"
                                                : "no such service, or not running");
}

static char *explain_lookup(const struct kick *kick, int error, const struct explainer *explainer)
{
    if (error == ENOENT)
        return explain_missing(kick, explainer);
    if (error == EACCES)
        return explain_permission(kick);
    return alloc_format("cannot be looked up: %s", strerror(error));
}

static char *explain_no_listener(const struct kick *kick, const struct explainer *explainer,
                                 const char *otherwise)
{
    if (master_state(explainer->locks, kick->trigger->queue_directory) == MASTER_STOPPED)
        return alloc_string("not running");
    return alloc_string(otherwise);
}

static char *explain_connect(const struct kick *kick, const struct explainer *explainer)
{
    int error = kick->trigger->error;

    if (error == ECONNREFUSED)
        return explain_no_listener(kick, explainer, "nobody listens on the socket");
    if (error == EPROTOTYPE)
        return alloc_string("a datagram socket takes no requests");
    if (error == EACCES)
        return explain_permission(kick);
    return alloc_format("cannot connect: %s", strerror(error));
}

static char *explain_trigger(const struct kick *kick, const struct explainer *explainer)
{
    const struct trigger *trigger = kick->trigger;

    switch (trigger->outcome) {
    case TRIGGER_KICKED:
        return NULL;
    case TRIGGER_NOT_READ:
        return alloc_format("request not read within %ds", trigger->seconds);
    case TRIGGER_NOT_FINISHED:
        return alloc_format("request read, service not finished within %ds", trigger->seconds);
    case TRIGGER_LOOKUP:
        return explain_lookup(kick, trigger->error, explainer);
    case TRIGGER_LINK:
        return trigger->error == ENOTDIR ? alloc_format("%s is a symbolic link", kick->class)
                                         : alloc_string("is a symbolic link");
    case TRIGGER_HARD_LINKS:
        return alloc_string("the FIFO has more than one hard link");
    case TRIGGER_WRONG_TYPE:
        return alloc_string("not a socket or a FIFO");
    case TRIGGER_CONNECT:
        return explain_connect(kick, explainer);
    case TRIGGER_QUEUE_FULL:
        return alloc_format("listen queue full for %ds", trigger->seconds);
    case TRIGGER_NOT_WRITTEN:
        return alloc_format("no room for the request for %ds", trigger->seconds);
    case TRIGGER_NO_READER:
        return explain_no_listener(kick, explainer, "nobody reads the FIFO");
    case TRIGGER_CLOSED:
        return alloc_string("closed before the request was read");
    case TRIGGER_NO_TIME:
        return alloc_string("not started: time limit reached");
    case TRIGGER_SEND:
        return alloc_format("cannot send: %s", strerror(trigger->error));
    case TRIGGER_DUPLICATE:
    case TRIGGER_PENDING:
        break;
    }
    return alloc_string("not confirmed: interrupted");
}

/* The first one has its reason already. It may itself have become a duplicate later, when its
 * service was restarted. */
static char *explain_duplicate(const struct kick *duplicate)
{
    const struct kick *first = kick_first(duplicate);
    const char *directory = first->member->instance->config_directory;

    return first->reason == NULL
               ? alloc_format("same endpoint as %s's", directory)
               : alloc_format("same endpoint as %s's: %s", directory, first->reason);
}

void explain_kicks(struct kicks *kicks, struct master_locks *locks, const struct settings *settings)
{
    struct explainer explainer = {locks, settings};

    for (size_t i = 0; i < kicks->count; i++) {
        struct kick *kick = &kicks->items[i];
        if (kick->trigger != NULL && kick->reason == NULL && kick->status != KICK_PLANNED &&
            kick->status != KICK_DUPLICATE)
            kick->reason = explain_trigger(kick, &explainer);
    }
    for (size_t i = 0; i < kicks->count; i++)
        if (kicks->items[i].duplicate_of != NULL)
            kicks->items[i].reason = explain_duplicate(&kicks->items[i]);
}
