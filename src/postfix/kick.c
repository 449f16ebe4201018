/* SPDX-License-Identifier: MIT */
/* Plans kicks, runs them, finds those that go to the same endpoint, and says why kicks failed. */
#include "postfix/kick.h"
#include "base/descriptors.h"
#include "base/path.h"
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

ALLOC_TABLES_ARE_KEPT

/* Returns the parameter that gives one of Postfix's two trigger servers its name, or
 * PARAMETER_COUNT. */
static enum parameter find_name(const char *service)
{
    return strcmp(service, "qmgr") == 0     ? PARAMETER_QUEUE_SERVICE_NAME
           : strcmp(service, "pickup") == 0 ? PARAMETER_PICKUP_SERVICE_NAME
                                            : PARAMETER_COUNT;
}

/* In actions, they have the names that main.cf gives them. */
static const char *service_name(const struct instance *instance, const char *service,
                                bool is_action)
{
    enum parameter name = is_action ? find_name(service) : PARAMETER_COUNT;

    return name == PARAMETER_COUNT ? service : instance_value(instance, name);
}

/* What follows from the outcome of a trigger. */
static const struct {
    enum kick_status status;
    bool is_late;       /* more time might have helped */
    const char *reason; /* where it is always the same; if it is late, the seconds follow */
} outcomes[] = {
    [TRIGGER_PENDING] = {.reason = "not confirmed: interrupted"},
    [TRIGGER_KICKED] = {.status = KICK_KICKED},
    [TRIGGER_NOT_READ] = {KICK_UNCONFIRMED, true, "request not read within"},
    [TRIGGER_NOT_FINISHED] = {KICK_UNFINISHED, true, "request read, service not finished within"},
    [TRIGGER_LINK] = {.reason = "is a symbolic link"},
    [TRIGGER_HARD_LINKS] = {.reason = "the FIFO has more than one hard link"},
    [TRIGGER_WRONG_TYPE] = {.reason = "not a socket or a FIFO"},
    [TRIGGER_QUEUE_FULL] = {KICK_FAILED, true, "listen queue full for"},
    [TRIGGER_NOT_WRITTEN] = {KICK_FAILED, true, "FIFO full for"},
    [TRIGGER_HELD] = {KICK_FAILED, true, "no answer from the FIFO within"},
    [TRIGGER_CLOSED] = {.reason = "closed before the request was read"},
    [TRIGGER_NO_TIME] = {.reason = "not started: time limit reached"},
    [TRIGGER_DUPLICATE] = {.status = KICK_DUPLICATE},
    [TRIGGER_SEND] = {.reason = "cannot send"}, /* the error follows */
};

/* Whether the kick shares the outcome of the one that opened the same endpoint before. A short
 * limit of one instance must not fail another's kick. */
static bool shares(const struct kick *kick, struct kick *first)
{
    const struct trigger *own = kick->trigger;
    struct trigger *trigger = first->trigger;

    if (outcomes[trigger->outcome].is_late &&
        (own->send_limit > trigger->send_limit || own->read_limit > trigger->read_limit))
        return false;
    trigger_extend(trigger, own->send_limit, own->read_limit);
    return true;
}

/* Drops the claim of an earlier attempt. Those that share its outcome are sent anew: what they
 * opened is not what it is sent to. */
static void drop_claim(struct kick *kick)
{
    struct kicks *kicks = kick->kicks;

    HASH_DEL(kicks->claims, kick);
    kick->has_claim = false;
    for (size_t i = 0; i < kicks->count; i++) {
        struct kick *other = &kicks->items[i];

        if (other->duplicate_of != kick || other->trigger == NULL)
            continue;
        other->duplicate_of = NULL;
        trigger_renew(other->trigger);
    }
}

/* For trigger: whether this kick is the one to send to the endpoint. */
static bool claim(void *context, const struct endpoint_identity *identity)
{
    struct kick *kick = context, *first;
    unsigned hash;

    if (kick->has_claim && memcmp(&kick->key.endpoint, identity, sizeof(*identity)) == 0)
        return true;
    if (kick->has_claim)
        drop_claim(kick);
    memset(&kick->key, 0, sizeof(kick->key));
    kick->key.endpoint = *identity;
    kick->key.request = kick->request;
    HASH_VALUE(&kick->key, sizeof(kick->key), hash);
    HASH_FIND_BYHASHVALUE(hh, kick->kicks->claims, &kick->key, sizeof(kick->key), hash, first);
    kick->has_claim = first == NULL;
    if (kick->has_claim)
        HASH_ADD_BYHASHVALUE(hh, kick->kicks->claims, key, sizeof(kick->key), hash, kick);
    else if (shares(kick, first))
        kick->duplicate_of = first;
    return kick->duplicate_of == NULL;
}

/* Returns a limit of an instance, in seconds, within those of the kicks. */
static int bound(const struct kicks *kicks, int seconds)
{
    if (kicks->whole_limit > 0)
        return kicks->whole_limit;
    return seconds < kicks->limit ? seconds : kicks->limit;
}

static void plan_trigger(struct kicks *kicks, struct kick *kick)
{
    const struct instance *instance = kick->member->instance;
    struct trigger *trigger = &kicks->triggers[kicks->trigger_count++];

    kick->trigger = trigger;
    trigger->queue_directory = instance_value(instance, PARAMETER_QUEUE_DIRECTORY);
    trigger->class = kick->class;
    trigger->service = kick->service;
    trigger->request = kick->request;
    trigger->request_length = strlen(kick->request);
    trigger->send_limit = bound(kicks, instance->trigger_timeout);
    trigger->read_limit = bound(kicks, instance->application_event_drain_time);
    trigger->is_probe = kicks->is_probe;
    trigger->wait_for_close = kicks->wait;
    trigger->claim = claim;
    trigger->context = kick;
}

/* Returns the same address for the same request of several targets. */
static const char *shared_request(const UT_array *targets, const char *request)
{
    const struct target *target = (const void *)targets->d;

    while (strcmp(target->request, request) != 0)
        target++;
    return target->request;
}

static void plan_kick(struct kicks *kicks, struct kick *kick, struct selection_member *member,
                      const struct target *target)
{
    static const enum kick_status statuses[] = {[SELECTION_SERVE] = KICK_PLANNED,
                                                [SELECTION_FAILED] = KICK_FAILED,
                                                [SELECTION_DISABLED] = KICK_DISABLED,
                                                [SELECTION_DUPLICATE] = KICK_DUPLICATE};
    const char *service = service_name(member->instance, target->service, kicks->is_action);

    *kick = (struct kick){.member = member,
                          .class = target->class,
                          .service = service[0] != '\0' ? service : target->service,
                          .request = shared_request(kicks->targets, target->request),
                          .status = statuses[member->state],
                          .kicks = kicks};
    if (member->state == SELECTION_SERVE && target_service_is_valid(kick->service)) {
        plan_trigger(kicks, kick);
    } else if (member->state == SELECTION_SERVE) {
        kick->status = KICK_FAILED;
        kick->reason = alloc_format("invalid service name: %s", kick->service);
    } else if (member->state != SELECTION_DISABLED) {
        kick->reason = selection_reason(member);
    }
}

static void plan(struct kicks *kicks, struct selection *selection)
{
    if (kicks->is_probe) {
        utarray_new(kicks->probe, &target_icd);
        target_append(kicks->probe, "public", "qmgr", "");
        kicks->targets = kicks->probe;
        kicks->is_action = true;
    }
    const struct target *targets = (const void *)kicks->targets->d;
    size_t each = utarray_len(kicks->targets);

    kicks->count = selection->member_count * each;
    kicks->items = alloc_zeroed(kicks->count, sizeof(*kicks->items));
    kicks->triggers = alloc_zeroed(kicks->count, sizeof(*kicks->triggers));
    for (size_t i = 0; i < kicks->count; i++) {
        struct selection_member *member = &selection->members[i / each];

        plan_kick(kicks, &kicks->items[i], member, &targets[i % each]);
        if (member->duplicate_of != NULL) {
            size_t first = (size_t)(member->duplicate_of - selection->members);
            kicks->items[i].duplicate_of = &kicks->items[first * each + i % each];
        }
    }
}

static const char *other_class(const char *class)
{
    return strcmp(class, "public") == 0 ? "private" : "public";
}

/* Whether the service exists in the other class, or is known to belong there. */
static bool is_of_other_class(const struct kick *kick)
{
    const char *other = other_class(kick->class);
    const char *known = settings_class(kick->kicks->settings, kick->service);
    struct endpoint endpoint;

    if (known != NULL)
        return strcmp(known, other) == 0;
    enum endpoint_result result =
        endpoint_open(&endpoint, kick->trigger->queue_directory, other, kick->service);
    descriptors_close(&endpoint.fd);
    return result == ENDPOINT_SOCKET || result == ENDPOINT_FIFO;
}

/* For path_find(): whether it is a directory that this process may not search, or the endpoint. */
static bool is_refusing(int place, const struct stat *status, uid_t user)
{
    (void)user;
    if (S_ISDIR(status->st_mode))
        return access(descriptors_path(place).text, X_OK) < 0 && errno == EACCES;
    return S_ISSOCK(status->st_mode) || S_ISFIFO(status->st_mode);
}

/* Names what refused us, and whose it is. */
static char *explain_permission(const struct kick *kick)
{
    const struct trigger *trigger = kick->trigger;
    char *path =
        alloc_format("%s/%s/%s", trigger->queue_directory, trigger->class, trigger->service);
    struct stat status;
    char *refusing = path_find(path, is_refusing, 0, &status), *reason;

    if (refusing == NULL) {
        reason = alloc_format("permission denied: %s", path);
    } else {
        const struct passwd *user = getpwuid(status.st_uid);
        const struct group *group = getgrgid(status.st_gid);
        char *owner = user != NULL ? alloc_string(user->pw_name)
                                   : alloc_format("%lu", (unsigned long)status.st_uid);
        char *owning = group != NULL ? alloc_string(group->gr_name)
                                     : alloc_format("%lu", (unsigned long)status.st_gid);

        reason = alloc_format("permission denied: %s belongs to %s:%s, mode %04o", refusing, owner,
                              owning, status.st_mode & 07777U);
        free(owner);
        free(owning);
    }
    free(refusing);
    free(path);
    return reason;
}

/* Whether master.cf has the service in the class of the kick; *found is where it has it. */
static bool is_listed(const struct kick *kick, enum master_service *found)
{
    enum master_service own =
        strcmp(kick->class, "public") == 0 ? MASTER_SERVICE_PUBLIC : MASTER_SERVICE_PRIVATE;

    *found = master_find_service(kick->member->instance->config_directory, kick->service);
    return *found != MASTER_SERVICE_UNKNOWN && (*found & own) != 0;
}

/* There may be such a service under the name that main.cf gives it. */
static char *explain_unlisted(const struct kick *kick)
{
    const char *name = service_name(kick->member->instance, kick->service, true);

    if (strcmp(name, kick->service) == 0)
        return alloc_string("no such service in master.cf");
    return alloc_format("no such service in master.cf: %s is %s",
                        parameter_name(find_name(kick->service)), name);
}

/* Of an endpoint that is missing, or has nobody at its other end: nobody is what there is not. */
static char *explain_absence(const struct kick *kick, const char *nobody)
{
    const char *queue = kick->trigger->queue_directory;
    enum master_state state = master_state(kick->kicks->locks, queue);
    bool runs = state == MASTER_RUNNING;
    enum master_service found;

    if (state == MASTER_STOPPED)
        return alloc_string("not running");
    bool listed = is_listed(kick, &found), is_known = found != MASTER_SERVICE_UNKNOWN;
    if (nobody == NULL && !listed &&
        ((is_known && found != MASTER_SERVICE_ABSENT) || is_of_other_class(kick)))
        return alloc_format("service is %s, not %s", other_class(kick->class), kick->class);
    if (is_known && !listed && (nobody == NULL || runs))
        return explain_unlisted(kick);
    if (nobody != NULL)
        return alloc_format("%s%s", nobody,
                            runs ? ": stop and start the instance"
                            : master_is_gone(queue)
                                ? ", and the process of pid/master.pid is gone: start the instance"
                                : ": check with postfix status whether the instance is running");
    if (!is_known)
        return alloc_string(runs ? "no such service" : "no such service, or not running");
    return alloc_string(runs ? "the socket is missing although master.cf has the service: stop "
                               "and start the instance"
                             : "not running, or the socket is missing");
}

/* Why the endpoint could not be opened, or not be reached. */
static char *explain_error(const struct kick *kick)
{
    bool is_there = kick->trigger->outcome == TRIGGER_CONNECT;
    int error = kick->trigger->error;

    if (error == EACCES)
        return explain_permission(kick);
    if (error == ENOENT && !is_there)
        return explain_absence(kick, NULL);
    if (error == ECONNREFUSED)
        return explain_absence(kick, "no process is listening on the socket");
    if (error == EPROTOTYPE)
        return alloc_string("a datagram socket accepts no requests");
    return alloc_format("cannot %s: %s", is_there ? "connect" : "be looked up", path_error(error));
}

/* Adds to the reason which process of the service it is that hangs. The socket is master's. */
static char *name_process(const struct kick *kick, char *reason)
{
    const struct trigger *trigger = kick->trigger;
    pid_t master =
        trigger->peer > 0
            ? trigger->peer
            : master_lock_holder(kick->kicks->locks, trigger->queue_directory, "pid/master.pid");
    char *process = master > 0 ? master_find_process(master, trigger->service) : NULL;

    if (process == NULL)
        return reason;
    char *named = alloc_format("%s (%s)", reason, process);
    free(process);
    free(reason);
    return named;
}

static char *explain_trigger(const struct kick *kick)
{
    const struct trigger *trigger = kick->trigger;
    const char *reason = outcomes[trigger->outcome].reason;

    switch (trigger->outcome) {
    case TRIGGER_LOOKUP:
    case TRIGGER_CONNECT:
        return explain_error(kick);
    case TRIGGER_LINK:
        return trigger->error == ENOTDIR ? alloc_format("%s %s", kick->class, reason)
                                         : alloc_string(reason);
    case TRIGGER_NO_READER:
        return explain_absence(kick, "no process is reading the FIFO");
    case TRIGGER_SEND:
        return alloc_format("%s: %s", reason, strerror(trigger->error));
    case TRIGGER_HELD:
        return alloc_format("%s %ds", reason, trigger->seconds);
    default:
        break;
    }
    if (outcomes[trigger->outcome].is_late)
        return name_process(kick, alloc_format("%s %ds", reason, trigger->seconds));
    return reason == NULL ? NULL : alloc_string(reason);
}

/* An instance without its queue directory has failed, whatever was to be kicked in it: in Postfix's
 * words. That can only be where nothing was found. */
static void check_queue(struct kick *kick)
{
    struct instance *instance = kick->member->instance;
    const char *queue = instance_value(instance, PARAMETER_QUEUE_DIRECTORY);
    struct stat status;

    if (kick->trigger->outcome != TRIGGER_LOOKUP)
        return;
    int error = instance->error == NULL ? path_status(queue, O_DIRECTORY, &status) : 0;
    if (error != 0)
        instance->error = alloc_format("chdir %s: %s", queue, path_error(error));
    if (instance->error == NULL)
        return;
    kick->member->state = SELECTION_FAILED;
    kick->trigger = NULL;
    kick->status = KICK_FAILED;
    kick->seconds = 0;
    kick->reason = selection_reason(kick->member);
}

/* The first one of several may itself be the duplicate of another when its directory is listed
 * twice. */
static void share_outcome(struct kick *kick)
{
    const struct kick *first = kick;

    while (first->duplicate_of != NULL)
        first = first->duplicate_of;
    if (first != kick)
        kick->duplicate_of = first;
    kick->has_succeeded = first->status == KICK_KICKED || first->status == KICK_PLANNED ||
                          first->status == KICK_DISABLED;
    if (first == kick || kick->reason != NULL)
        return;
    kick->reason =
        alloc_format("same endpoint as %s's%s%s", first->member->instance->config_directory,
                     first->reason == NULL ? "" : ": ", first->reason == NULL ? "" : first->reason);
}

/* Sets what follows from the outcomes of the triggers. */
static void settle(struct kicks *kicks, bool is_dry)
{
    for (size_t i = 0; i < kicks->count; i++) {
        struct kick *kick = &kicks->items[i];
        const struct trigger *trigger = kick->trigger;

        if (trigger == NULL)
            continue;
        kick->seconds = (double)(trigger->finished - trigger->started) / (double)CLOCK_SECOND;
        if (!is_dry || trigger->outcome != TRIGGER_PENDING)
            kick->status = outcomes[trigger->outcome].status;
        check_queue(kick);
        if (kick->trigger != NULL && kick->status != KICK_PLANNED)
            kick->reason = explain_trigger(kick);
    }
    for (size_t i = 0; i < kicks->count; i++) {
        struct kick *kick = &kicks->items[i];

        share_outcome(kick);
        if (kick->duplicate_of != NULL && kick->member->state == SELECTION_SERVE)
            kicks->has_duplicates = true;
    }
}

/* Checks what a real run would before it connects; the result is the outcome of the trigger. */
static void check(struct trigger *trigger)
{
    const struct kick *kick = trigger->context;
    enum master_service found;

    trigger_check(trigger);
    if (trigger->outcome != TRIGGER_PENDING)
        return;
    /* the endpoint can be one of the past */
    enum master_state state = master_state(kick->kicks->locks, trigger->queue_directory);
    if (state == MASTER_STOPPED ||
        (state == MASTER_RUNNING && !is_listed(kick, &found) && found != MASTER_SERVICE_UNKNOWN)) {
        trigger->outcome = TRIGGER_CONNECT;
        trigger->error = ECONNREFUSED;
    }
}

int kicks_run(struct kicks *kicks, struct selection *selection, struct trigger_batch *batch)
{
    int error = 0;

    plan(kicks, selection);
    if (batch != NULL) {
        batch->triggers = kicks->triggers;
        batch->count = kicks->trigger_count;
        batch->whole_limit = kicks->whole_limit;
        error = trigger_run(batch);
    } else {
        for (size_t i = 0; i < kicks->trigger_count; i++)
            check(&kicks->triggers[i]);
    }
    settle(kicks, batch == NULL);
    return error;
}

void kicks_free(struct kicks *kicks)
{
    for (size_t i = 0; i < kicks->count; i++)
        free(kicks->items[i].reason);
    HASH_CLEAR(hh, kicks->claims);
    free(kicks->items);
    free(kicks->triggers);
    if (kicks->probe != NULL)
        utarray_free(kicks->probe);
}
