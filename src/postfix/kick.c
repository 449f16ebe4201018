#include "postfix/kick.h"
#include "base/clock.h"
#include "base/text.h"
#include "wire/endpoint.h"
#include <errno.h>
#include <string.h>

/* In actions, Postfix's two trigger servers go by what main.cf calls them. */
static const char *service_name(const struct instance *instance, const char *service,
                                bool is_action)
{
    if (is_action && strcmp(service, "qmgr") == 0)
        return instance_value(instance, PARAMETER_QUEUE_SERVICE_NAME);
    if (is_action && strcmp(service, "pickup") == 0)
        return instance_value(instance, PARAMETER_PICKUP_SERVICE_NAME);
    return service;
}

static enum kick_status planned_status(enum selection_state state)
{
    switch (state) {
    case SELECTION_DISABLED:
        return KICK_DISABLED;
    case SELECTION_DUPLICATE:
        return KICK_DUPLICATE;
    case SELECTION_SERVE:
        return KICK_PLANNED;
    default:
        return KICK_FAILED;
    }
}

static void plan_one(struct kicks *kicks, const struct selection_member *member,
                     const struct target *target, bool is_action)
{
    const struct instance *instance = member->instance;
    struct kick *kick = &kicks->items[kicks->count++];

    *kick = (struct kick){.member = member,
                          .class = target->class,
                          .service = service_name(instance, target->service, is_action),
                          .request = target->request,
                          .status = planned_status(member->state)};
    if (kick->service[0] == '\0') /* an instance that could not be read */
        kick->service = target->service;
    if (member->state == SELECTION_FAILED)
        kick->reason = alloc_string(instance->error);
    if (member->state == SELECTION_DUPLICATE)
        kick->reason =
            alloc_format("same queue directory as %s", member->duplicate_of->config_directory);
    if (member->state != SELECTION_SERVE)
        return;
    if (!target_service_is_valid(kick->service)) {
        kick->status = KICK_FAILED;
        kick->reason = alloc_format("invalid service name: %s", kick->service);
        return;
    }
    kick->trigger = &kicks->triggers[kicks->trigger_count++];
    trigger_init(kick->trigger);
    kick->trigger->queue_directory = instance_value(instance, PARAMETER_QUEUE_DIRECTORY);
    kick->trigger->class = kick->class;
    kick->trigger->service = kick->service;
    kick->trigger->request = kick->request;
    kick->trigger->request_length = strlen(kick->request);
    kick->trigger->send_limit = instance->trigger_timeout;
    kick->trigger->read_limit = instance->application_event_drain_time;
}

void kicks_plan(struct kicks *kicks, const struct selection *selection, const UT_array *targets,
                bool is_action)
{
    size_t most = selection->member_count * utarray_len(targets);

    *kicks = (struct kicks){.items = alloc_zeroed(most, sizeof(*kicks->items)),
                            .triggers = alloc_zeroed(most, sizeof(*kicks->triggers))};
    for (size_t i = 0; i < selection->member_count; i++)
        for (size_t j = 0; j < utarray_len(targets); j++)
            plan_one(kicks, &selection->members[i], target_item(targets, j), is_action);
}

static enum kick_status outcome_status(enum trigger_outcome outcome)
{
    switch (outcome) {
    case TRIGGER_KICKED:
        return KICK_KICKED;
    case TRIGGER_NOT_READ:
        return KICK_UNCONFIRMED;
    case TRIGGER_NOT_FINISHED:
        return KICK_UNFINISHED;
    default:
        return KICK_FAILED;
    }
}

int kicks_run(struct kicks *kicks, const struct kicks_options *options)
{
    struct fanout fanout = {.triggers = kicks->triggers,
                            .count = kicks->trigger_count,
                            .connections = options->connections,
                            .limits = options->limits,
                            .progress = options->progress,
                            .context = options->context};

    for (size_t i = 0; i < kicks->trigger_count; i++)
        kicks->triggers[i].wait_for_close = options->wait;
    int error = fanout_run(&fanout);
    for (size_t i = 0; i < kicks->count; i++)
        if (kicks->items[i].trigger != NULL)
            kicks->items[i].status = outcome_status(kicks->items[i].trigger->outcome);
    return error;
}

bool kick_succeeded(const struct kick *kick)
{
    return kick->status == KICK_KICKED || kick->status == KICK_PLANNED ||
           kick->status == KICK_DISABLED || kick->status == KICK_DUPLICATE;
}

const char *kick_status_name(enum kick_status status)
{
    static const char *const names[] = {
        [KICK_KICKED] = "kicked",         [KICK_UNCONFIRMED] = "unconfirmed",
        [KICK_UNFINISHED] = "unfinished", [KICK_FAILED] = "failed",
        [KICK_DISABLED] = "disabled",     [KICK_DUPLICATE] = "duplicate",
        [KICK_PLANNED] = "planned",
    };

    return names[status];
}

double kick_seconds(const struct kick *kick)
{
    const struct trigger *trigger = kick->trigger;

    if (trigger == NULL || trigger->finished == 0)
        return 0;
    return (double)(trigger->finished - trigger->started) / (double)CLOCK_SECOND;
}

void kicks_free(struct kicks *kicks)
{
    for (size_t i = 0; i < kicks->count; i++)
        free(kicks->items[i].reason);
    free(kicks->items);
    free(kicks->triggers);
    *kicks = (struct kicks){0};
}
