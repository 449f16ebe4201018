/* SPDX-License-Identifier: MIT */
/* Reports whether each instance is in order, as a table and as JSON. */
#include "report/status.h"
#include "base/diag.h"
#include "report/row.h"
#include <errno.h>

/* The states, as in JSON and in the table. */
static const struct {
    const char *name;
    const char *words;
} states[] = {
    [STATUS_OK] = {"ok", "responding"},
    [STATUS_FULL] = {"full", "full"},
    [STATUS_STOPPED] = {"stopped", "stopped"},
    [STATUS_NO_PICKUP] = {"no-pickup", "no pickup"},
    [STATUS_NOT_RESPONDING] = {"not-responding", "not responding"},
    [STATUS_NOT_RUNNING] = {"not-running", "not running"},
    [STATUS_UNKNOWN] = {"unknown", "unknown"},
};

/* Returns the state of an instance that ought to be in order. */
static const char *describe_wanted(const struct status *status)
{
    const struct trigger *trigger = kick_first(status->kick)->trigger;

    if (status->kick->member->state == SELECTION_FAILED)
        return "configuration error";
    if (status->state == STATUS_UNKNOWN && trigger != NULL && trigger->error == EACCES)
        return "permission denied";
    return states[status->state].words;
}

/* Returns the state of one that need not be. */
static const char *describe_disabled(const struct status *status)
{
    if (status->answer == STATUS_ANSWERED)
        return "not enabled, but responding";
    if (status->kick->member->instance->running == MASTER_RUNNING)
        return "not enabled, but running";
    return "not enabled";
}

static void append_json(const struct status *status, UT_string *out)
{
    static const char *const answers[] = {
        [STATUS_ANSWERED] = "y", [STATUS_SILENT] = "n", [STATUS_UNASKED] = "-"};
    json_t *row = row_new(status->kick->member->instance);

    row_add_text(row, "responding", answers[status->answer]);
    row_add_text(row, "state", states[status->state].name);
    row_add_text(row, "status",
                 !status->is_wanted      ? "disabled"
                 : status->has_succeeded ? "ok"
                                         : "failed");
    row_add_text(row, "reason", status->reason);
    row_add(row, "seconds", json_real(status->seconds));
    row_finish(row, out);
}

static void add_cells(UT_array *cells, const struct status *status)
{
    const struct instance *instance = status->kick->member->instance;
    const char *state = status->is_wanted ? describe_wanted(status) : describe_disabled(status);

    row_add_cell(cells, "%s", row_value(instance, PARAMETER_MULTI_INSTANCE_NAME));
    row_add_cell(cells, "%s", row_value(instance, PARAMETER_MULTI_INSTANCE_GROUP));
    row_add_cell(cells, "%s%s", state,
                 status->kick->status == KICK_DUPLICATE && status->state != STATUS_NOT_RUNNING
                     ? " (duplicate)"
                     : "");
    if (status->answer == STATUS_ANSWERED)
        row_add_cell(cells, "%.1fms", status->seconds * 1000);
    else
        row_add_cell(cells, "-");
    row_add_cell(cells, "%s", instance->config_directory);
}

static void append_table(const struct status_report *report, bool with_titles, UT_string *out)
{
    static const struct row_column columns[] = {
        {.title = "NAME"}, {.title = "GROUP"},     {.title = "STATE"},
        {.title = "TIME"}, {.title = "DIRECTORY"},
    };
    UT_array *cells;

    utarray_new(cells, &strings_icd);
    for (size_t i = 0; i < report->count; i++)
        add_cells(cells, &report->statuses[i]);
    row_append_table(out, columns, sizeof(columns) / sizeof(columns[0]), cells, with_titles);
    utarray_free(cells);
}

void report_status_output(const struct status_report *report, bool json, bool with_titles,
                          UT_string *out)
{
    for (size_t i = 0; json && i < report->count; i++)
        append_json(&report->statuses[i], out);
    if (!json)
        append_table(report, with_titles, out);
}

static void report_one(const struct selection *selection, const struct status *status, int verbose)
{
    const struct kick *kick = status->kick;
    const struct instance *instance = kick->member->instance;

    if (!status->is_wanted && verbose == 0)
        return;
    if (kick->member->state == SELECTION_FAILED)
        row_diag_error(selection, instance);
    else if (kick->member->state == SELECTION_DUPLICATE)
        diag_line("warning", "%s: %s", instance->config_directory, kick->reason);
    else if (status->reason != NULL && status->answer == STATUS_ANSWERED)
        row_diag(selection, instance, status->is_wanted ? "warning" : NULL, "%s", status->reason);
    else if (status->reason != NULL || kick->status == KICK_DUPLICATE)
        row_diag(selection, instance, status->is_wanted ? "warning" : NULL, "%s/%s: %s",
                 kick->class, kick->service,
                 status->reason != NULL ? status->reason : kick->reason);
    else if (verbose > 0)
        row_diag(selection, instance, NULL, "%s/%s: responding after %.1fms", kick->class,
                 kick->service, status->seconds * 1000);
}

void report_status(const struct status_report *report, int verbose)
{
    for (size_t i = 0; i < report->count; i++)
        report_one(report->selection, &report->statuses[i], verbose);
}
