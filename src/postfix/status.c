/* SPDX-License-Identifier: MIT */
/* Finds out whether instances are in order. */
#include "postfix/status.h"
#include "base/path.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Whether a failed trigger shows that the queue manager is missing or does not answer. */
static bool shows_silence(const struct trigger *trigger)
{
    switch (trigger->outcome) {
    case TRIGGER_LOOKUP:
        return trigger->error == ENOENT;
    case TRIGGER_CONNECT:
        return trigger->error == ECONNREFUSED;
    case TRIGGER_NOT_READ:
    case TRIGGER_QUEUE_FULL:
    case TRIGGER_NOT_WRITTEN:
    case TRIGGER_HELD:
    case TRIGGER_NO_READER:
    case TRIGGER_CLOSED:
        return true;
    default:
        return false;
    }
}

static enum status_answer find_answer(const struct kick *duplicate)
{
    const struct kick *kick = kick_first(duplicate);

    if (kick->trigger == NULL)
        return STATUS_UNASKED;
    if (kick->status == KICK_KICKED)
        return STATUS_ANSWERED;
    return shows_silence(kick->trigger) ? STATUS_SILENT : STATUS_UNASKED;
}

static bool is_master_stopped(const struct instance *instance, struct master_locks *locks)
{
    pid_t holder = master_lock_holder(locks, instance_value(instance, PARAMETER_QUEUE_DIRECTORY),
                                      "pid/master.pid");

    return holder != 0 && master_is_stopped(holder);
}

/* Whether a process listens on the service's socket; in doubt, one does. A FIFO is left alone: to
 * open it could wake its reader. */
static bool is_served(const struct instance *instance, const char *service,
                      const UT_array *listeners)
{
    struct endpoint endpoint;
    enum endpoint_result result = endpoint_open(
        &endpoint, instance_value(instance, PARAMETER_QUEUE_DIRECTORY), "public", service);
    bool served = result == ENDPOINT_FIFO ||
                  (result == ENDPOINT_SOCKET && endpoint_has_listener(&endpoint, listeners));

    endpoint_close(&endpoint);
    return served;
}

/* Whether master.cf has pickup(8), and no process is listening for it. The queue manager's socket,
 * which has answered, tells whether listeners can be seen at all: not those of another network
 * namespace, and not on file systems whose device numbers are their own. */
static bool lacks_pickup(const struct instance *instance, const UT_array *listeners)
{
    const char *pickup = instance_value(instance, PARAMETER_PICKUP_SERVICE_NAME);
    const char *qmgr = instance_value(instance, PARAMETER_QUEUE_SERVICE_NAME);
    struct endpoint endpoint;

    enum master_service found = master_find_service(instance->config_directory, pickup);
    if (found == MASTER_SERVICE_UNKNOWN || (found & MASTER_SERVICE_PUBLIC) == 0)
        return false;
    enum endpoint_result result = endpoint_open(
        &endpoint, instance_value(instance, PARAMETER_QUEUE_DIRECTORY), "public", pickup);
    bool is_missing = result == ENDPOINT_LOOKUP && endpoint.error == ENOENT;
    endpoint_close(&endpoint);
    if (is_missing)
        return true;
    return listeners != NULL && is_served(instance, qmgr, listeners) && result == ENDPOINT_SOCKET &&
           !is_served(instance, pickup, listeners);
}

/* Returns the number of bytes that a parameter says, or 0 where Postfix would find an error. */
static double bytes(const struct instance *instance, enum parameter parameter)
{
    const char *value = instance_value(instance, parameter);
    char *end;
    long long number = strtoll(value, &end, 10);

    return end != value && *end == '\0' && number > 0 ? (double)number : 0;
}

/* Returns why smtpd(8) refuses mail, a new string; or NULL. */
static char *find_shortage(const struct instance *instance)
{
    const char *queue = instance_value(instance, PARAMETER_QUEUE_DIRECTORY);
    double least = bytes(instance, PARAMETER_QUEUE_MINFREE);
    double message = 1.5 * bytes(instance, PARAMETER_MESSAGE_SIZE_LIMIT);
    struct stat status;
    struct statvfs system;
    int fd = path_place(queue, 0, &status, &system);

    if (fd < 0)
        return NULL;
    close(fd);
    double room = (double)system.f_bavail * (double)system.f_frsize;
    if (message > least)
        least = message;
    if (room <= least)
        return alloc_format("mail is refused: %s has %.0f bytes free and needs more than %.0f",
                            queue, room, least);
    if (system.f_files > 0 && system.f_favail == 0)
        return alloc_format("mail is refused: %s has no free inode", queue);
    return NULL;
}

/* Sets the state of an instance whose queue manager has answered. */
static void examine(struct status *status, const struct kicks *kicks, const UT_array *listeners)
{
    const struct instance *instance = status->kick->member->instance;

    if (is_master_stopped(instance, kicks->locks)) {
        status->state = STATUS_STOPPED;
        status->reason = alloc_string("master(8) is stopped: no process can be started");
    } else if (lacks_pickup(instance, listeners)) {
        status->state = STATUS_NO_PICKUP;
        status->reason = alloc_format("public/%s: no process is listening: stop and start the "
                                      "instance",
                                      instance_value(instance, PARAMETER_PICKUP_SERVICE_NAME));
    } else if ((status->reason = find_shortage(instance)) != NULL) {
        status->state = STATUS_FULL;
    } else {
        status->state = STATUS_OK;
    }
}

/* Sets the state of one whose queue manager has not answered. */
static void explain(struct status *status, const struct kicks *kicks)
{
    const struct kick *kick = status->kick;
    const struct instance *instance = kick->member->instance;

    status->reason = alloc_string(kick->reason == NULL ? "" : kick->reason);
    if (status->answer == STATUS_UNASKED)
        status->state = STATUS_UNKNOWN;
    else if (instance->running == MASTER_STOPPED)
        status->state = STATUS_NOT_RUNNING;
    else if (is_master_stopped(instance, kicks->locks))
        status->state = STATUS_STOPPED;
    else
        status->state = STATUS_NOT_RESPONDING;
}

/* Returns another instance, selected or not, whose master(8) holds the queue directory of this one,
 * which shares it; or NULL, in doubt too. */
static const struct instance *find_owner(const struct kicks *kicks, const struct kick *kick)
{
    const struct kick *first = kick_first(kick);
    const struct instance *instance = kick->member->instance;

    if (kick->member->state != SELECTION_SERVE || instance_owns_queue(instance, kicks->locks))
        return NULL;
    if (instance->owner != NULL)
        return instance->owner;
    for (size_t i = 0; i < kicks->count; i++) {
        const struct kick *other = &kicks->items[i];

        if (other != kick && other->member->state == SELECTION_SERVE &&
            kick_first(other) == first &&
            instance_owns_queue(other->member->instance, kicks->locks))
            return other->member->instance;
    }
    return NULL;
}

/* A queue manager that has answered is that of the queue's owner. */
static bool is_another_ones(struct status *status, const struct kicks *kicks)
{
    const struct instance *owner = find_owner(kicks, status->kick);

    if (owner == NULL)
        return false;
    status->kick->member->instance->running = MASTER_STOPPED;
    status->answer = STATUS_SILENT;
    status->state = STATUS_NOT_RUNNING;
    status->reason =
        alloc_format("not running: its queue directory is in use by %s", owner->config_directory);
    return true;
}

/* Whether kicks share an endpoint, so that it matters whose it is. */
static bool have_duplicates(const struct kicks *kicks)
{
    for (size_t i = 0; i < kicks->count; i++)
        if (kicks->items[i].member->state == SELECTION_SERVE &&
            kicks->items[i].duplicate_of != NULL)
            return true;
    return false;
}

static void find_status(struct status *status, const struct kicks *kicks, const UT_array *listeners,
                        bool shared)
{
    const struct instance *instance = status->kick->member->instance;

    status->answer = find_answer(status->kick);
    status->seconds = kick_seconds(kick_first(status->kick));
    status->is_wanted = instance->enabled != INSTANCE_DISABLED || status->kick->member->is_named;
    if (status->answer != STATUS_ANSWERED)
        explain(status, kicks);
    else if (!(shared || instance->conflicts != NULL) || !is_another_ones(status, kicks))
        examine(status, kicks, listeners);
    status->has_succeeded = !status->is_wanted || status->state == STATUS_OK;
}

struct status *statuses_find(const struct kicks *kicks)
{
    struct status *statuses = alloc_zeroed(kicks->count, sizeof(*statuses));
    UT_array *listeners = endpoint_find_listeners();
    bool shared = have_duplicates(kicks);

    for (size_t i = 0; i < kicks->count; i++) {
        statuses[i].kick = &kicks->items[i];
        find_status(&statuses[i], kicks, listeners, shared);
    }
    if (listeners != NULL)
        utarray_free(listeners);
    return statuses;
}

void statuses_free(struct status *statuses, size_t count)
{
    for (size_t i = 0; i < count; i++)
        free(statuses[i].reason);
    free(statuses);
}
