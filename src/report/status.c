/* SPDX-License-Identifier: MIT */
/* Reports whether each instance is alive, as a table and as JSON. */
#include "report/status.h"
#include "base/diag.h"
#include "report/row.h"
#include <errno.h>

enum answer {
    ANSWER_YES,
    ANSWER_NO,
    ANSWER_UNKNOWN, /* the request did not reach the queue manager, or shows nothing */
};

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
    case TRIGGER_NO_READER:
    case TRIGGER_CLOSED:
        return true;
    default:
        return false;
    }
}

static enum answer find_answer(const struct kick *duplicate)
{
    const struct kick *kick = kick_first(duplicate);

    if (kick->trigger == NULL)
        return ANSWER_UNKNOWN;
    if (kick->status == KICK_KICKED)
        return ANSWER_YES;
    return shows_silence(kick->trigger) ? ANSWER_NO : ANSWER_UNKNOWN;
}

static bool ought_to_answer(const struct selection *selection, const struct instance *instance)
{
    return instance->enabled != INSTANCE_DISABLED || selection->is_single;
}

bool report_status_succeeded(const struct selection *selection, const struct kick *kick)
{
    return !ought_to_answer(selection, kick->member->instance) || find_answer(kick) == ANSWER_YES;
}

/* Returns why an instance has not answered, or "". */
static const char *find_reason(const struct kick *kick)
{
    return kick->reason == NULL ? "" : kick->reason;
}

/* Returns the state of an instance that ought to answer. */
static const char *describe_wanted(const struct kick *kick)
{
    const struct trigger *trigger = kick_first(kick)->trigger;

    if (kick->member->state == SELECTION_FAILED)
        return "configuration error";
    if (find_answer(kick) == ANSWER_YES)
        return "responding";
    if (find_answer(kick) == ANSWER_NO)
        return kick->member->instance->running == MASTER_STOPPED ? "not running" : "not responding";
    if (trigger != NULL && trigger->error == EACCES)
        return "permission denied";
    return "unknown";
}

/* Returns the state of one that need not answer. */
static const char *describe_disabled(const struct kick *kick)
{
    if (find_answer(kick) == ANSWER_YES)
        return "not enabled, but responding";
    if (kick->member->instance->running == MASTER_RUNNING)
        return "not enabled, but running";
    return "not enabled";
}

static void append_json(const struct selection *selection, const struct kick *kick, UT_string *out)
{
    static const char *const answers[] = {
        [ANSWER_YES] = "y", [ANSWER_NO] = "n", [ANSWER_UNKNOWN] = "-"};
    const struct instance *instance = kick->member->instance;
    const char *status = !ought_to_answer(selection, instance)      ? "disabled"
                         : report_status_succeeded(selection, kick) ? "ok"
                                                                    : "failed";
    json_t *row = row_new(instance);

    row_add_text(row, "responding", answers[find_answer(kick)]);
    row_add_text(row, "status", status);
    row_add_text(row, "reason", find_reason(kick));
    row_add(row, "seconds", json_real(kick_seconds(kick_first(kick))));
    row_finish(row, out);
}

static void add_cells(UT_array *cells, const struct selection *selection, const struct kick *kick)
{
    const struct instance *instance = kick->member->instance;
    const char *state =
        ought_to_answer(selection, instance) ? describe_wanted(kick) : describe_disabled(kick);

    row_add_cell(cells, "%s", row_value(instance, PARAMETER_MULTI_INSTANCE_NAME));
    row_add_cell(cells, "%s", row_value(instance, PARAMETER_MULTI_INSTANCE_GROUP));
    row_add_cell(cells, "%s%s", state, kick->status == KICK_DUPLICATE ? " (duplicate)" : "");
    if (find_answer(kick) == ANSWER_YES)
        row_add_cell(cells, "%.1fms", kick_seconds(kick_first(kick)) * 1000);
    else
        row_add_cell(cells, "-");
    row_add_cell(cells, "%s", instance->config_directory);
}

static void append_table(const struct selection *selection, const struct kicks *kicks,
                         bool with_titles, UT_string *out)
{
    static const struct row_column columns[] = {
        {.title = "NAME"}, {.title = "GROUP"},     {.title = "STATE"},
        {.title = "TIME"}, {.title = "DIRECTORY"},
    };
    UT_array *cells;

    utarray_new(cells, &strings_icd);
    for (size_t i = 0; i < kicks->count; i++)
        add_cells(cells, selection, &kicks->items[i]);
    row_append_table(out, columns, sizeof(columns) / sizeof(columns[0]), cells, with_titles);
    utarray_free(cells);
}

void report_status_output(const struct selection *selection, const struct kicks *kicks, bool json,
                          bool with_titles, UT_string *out)
{
    for (size_t i = 0; json && i < kicks->count; i++)
        append_json(selection, &kicks->items[i], out);
    if (!json)
        append_table(selection, kicks, with_titles, out);
}

static void report_one(const struct selection *selection, const struct kick *kick, int verbose)
{
    const struct instance *instance = kick->member->instance;
    bool is_wanted = ought_to_answer(selection, instance);

    if (!is_wanted && verbose == 0)
        return;
    if (kick->member->state == SELECTION_FAILED)
        row_diag_error(selection, instance);
    else if (kick->member->state == SELECTION_DUPLICATE)
        diag_line("warning", "%s: %s", instance->config_directory, kick->reason);
    else if (kick->status == KICK_DUPLICATE || find_answer(kick) != ANSWER_YES)
        row_diag(selection, instance, is_wanted ? "warning" : NULL, "%s/%s: %s", kick->class,
                 kick->service, find_reason(kick));
    else if (verbose > 0)
        row_diag(selection, instance, NULL, "%s/%s: answered after %.4fs", kick->class,
                 kick->service, kick_seconds(kick));
}

void report_status(const struct selection *selection, const struct kicks *kicks, int verbose)
{
    for (size_t i = 0; i < kicks->count; i++)
        report_one(selection, &kicks->items[i], verbose);
}
