/* SPDX-License-Identifier: MIT */
/* Reports the results of kicks, their dry run, and the states that those of -s show. */
#include "report/kicks.h"
#include "base/diag.h"
#include "base/path.h"
#include "report/row.h"
#include <errno.h>
#include <string.h>
#include <unistd.h>

/* Writes Postfix's own lines, where it has some. Returns whether our reason says no more. */
static bool report_as_postfix(const struct kick *kick)
{
    const char *class = kick->class, *service = kick->service;
    enum trigger_outcome outcome = kick->trigger->outcome;
    int error = kick->trigger->error;

    if (outcome == TRIGGER_LOOKUP || (outcome == TRIGGER_LINK && error == ENOTDIR))
        diag_line("warning", "unable to look up %s/%s: %s", class, service, path_error(error));
    else if (outcome == TRIGGER_LINK || outcome == TRIGGER_WRONG_TYPE)
        diag_line("warning", "%s/%s is not a socket or a fifo", class, service);
    else if (outcome != TRIGGER_HARD_LINKS && outcome != TRIGGER_CONNECT &&
             outcome != TRIGGER_QUEUE_FULL && outcome != TRIGGER_NO_READER)
        return false;
    diag_line("warning", "Cannot contact class %s service %s - perhaps the mail system is down",
              class, service);
    return outcome == TRIGGER_WRONG_TYPE ||
           (outcome == TRIGGER_LOOKUP && error != ENOENT && error != EACCES);
}

/* In Postfix's words where Postfix has some, followed by the reason if it says more; Postfix has no
 * actions. If the kick whose outcome it shares has failed, the reason of a duplicate contains that
 * one's. */
static void report_kick(const struct kicks_report *report, const struct kick *kick)
{
    const struct selection *selection = report->selection;
    const struct instance *instance = kick->member->instance;
    const struct trigger *trigger = kick->trigger;
    bool as_postfix = selection->is_single && !report->kicks->is_action && trigger != NULL;

    if (kick->status == KICK_DUPLICATE)
        row_diag(selection, instance, "warning", "%s/%s: %s%s", kick->class, kick->service,
                 kick->reason, kick->has_succeeded ? ": not kicked again" : "");
    else if (kick->status == KICK_KICKED && trigger != NULL && report->verbose > 0)
        row_diag(selection, instance, NULL, "%s/%s: request \"%s\" %s after %.1fms", kick->class,
                 kick->service, kick->request,
                 trigger->wait_for_close && trigger->is_socket ? "finished" : "read",
                 kick->seconds * 1000);
    else if (!kick->has_succeeded && !(as_postfix && report_as_postfix(kick)))
        row_diag(selection, instance, "warning", "%s/%s: %s", kick->class, kick->service,
                 kick->reason);
}

/* That an instance is left out is news only to whoever has named it. */
static void report_unserved(const struct kicks_report *report, const struct kick *kick)
{
    const struct instance *instance = kick->member->instance;
    const char *directory = instance->config_directory;
    bool is_named = kick->member->is_named;

    if (kick->member->state == SELECTION_FAILED)
        row_diag_error(report->selection, instance);
    else if (kick->member->state == SELECTION_DUPLICATE)
        diag_line("warning", "%s: %s: not kicked again", directory, kick->reason);
    else if (is_named || report->verbose > 0)
        diag_line(is_named ? "warning" : NULL,
                  "%s: not enabled: not kicked (-a or -c %s overrides)", directory, directory);
}

/* An instance that is not served is reported once, not for each target. */
static bool is_news(const struct kicks *kicks, size_t index)
{
    const struct kick *kick = &kicks->items[index];

    return kick->member->state == SELECTION_SERVE || index == 0 || kick[-1].member != kick->member;
}

/* Appends the line of the dry run. */
static void append_plan(const struct kick *kick, UT_string *out)
{
    const struct instance *instance = kick->member->instance;
    const char *reason = kick->status == KICK_DISABLED ? "not enabled" : kick->reason;
    const char *verb = kick->status == KICK_PLANNED  ? "send"
                       : kick->status == KICK_FAILED ? "fail:"
                                                     : "skip:";

    if (kick->member->state != SELECTION_SERVE)
        row_append_line(out, "%s: %s %s", instance->config_directory, verb, reason);
    else
        row_append_line(out, "%s: %s \"%s\" to %s/%s/%s%s%s", instance->config_directory, verb,
                        kick->request, instance_value(instance, PARAMETER_QUEUE_DIRECTORY),
                        kick->class, kick->service, reason == NULL ? "" : ": ",
                        reason == NULL ? "" : reason);
}

const char *const report_kick_statuses[] = {
    [KICK_KICKED] = "kicked",         [KICK_UNCONFIRMED] = "unconfirmed",
    [KICK_UNFINISHED] = "unfinished", [KICK_FAILED] = "failed",
    [KICK_DISABLED] = "disabled",     [KICK_DUPLICATE] = "duplicate",
    [KICK_PLANNED] = "planned",
};

static void append_kick(const struct kick *kick, UT_string *out)
{
    const char *queue = instance_value(kick->member->instance, PARAMETER_QUEUE_DIRECTORY);
    json_t *row = row_new(kick->member->instance);
    char *endpoint =
        queue[0] != '\0' ? alloc_format("%s/%s/%s", queue, kick->class, kick->service) : NULL;

    row_add_text(row, "class", kick->class);
    row_add_text(row, "service", kick->service);
    row_add_text(row, "request", kick->request);
    row_add_text(row, "endpoint", endpoint);
    row_add_text(row, "status", report_kick_statuses[kick->status]);
    row_add_text(row, "reason", kick->reason);
    row_add(row, "seconds", json_real(kick->seconds));
    row_finish(row, out);
    free(endpoint);
}

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

/* Returns the state, also of an instance that need not be in order. */
static const char *describe(const struct status *status)
{
    const struct kick *kick = status->kick;
    const struct kick *first = kick->duplicate_of == NULL ? kick : kick->duplicate_of;

    if (!status->is_wanted && status->answer == STATUS_ANSWERED)
        return "not enabled, but responding";
    if (!status->is_wanted)
        return kick->member->instance->running == MASTER_RUNNING ? "not enabled, but running"
                                                                 : "not enabled";
    if (kick->member->state == SELECTION_FAILED)
        return "configuration error";
    if (status->state == STATUS_UNKNOWN && first->trigger != NULL &&
        first->trigger->error == EACCES)
        return "permission denied";
    return states[status->state].words;
}

static void append_status(const struct status *status, UT_string *out)
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

/* Below titles on a terminal. */
static void append_table(const struct kicks_report *report, UT_string *out)
{
    static const struct row_column columns[] = {
        {.title = "NAME"}, {.title = "GROUP"},     {.title = "STATE"},
        {.title = "TIME"}, {.title = "DIRECTORY"},
    };
    UT_array *cells;

    utarray_new(cells, &strings_icd);
    for (size_t i = 0; i < report->kicks->count; i++) {
        const struct status *status = &report->statuses[i];
        const struct instance *instance = status->kick->member->instance;
        bool shares = status->kick->status == KICK_DUPLICATE && status->state != STATUS_NOT_RUNNING;

        row_add_cell(cells, "%s", row_value(instance, PARAMETER_MULTI_INSTANCE_NAME));
        row_add_cell(cells, "%s", row_value(instance, PARAMETER_MULTI_INSTANCE_GROUP));
        row_add_cell(cells, "%s%s", describe(status), shares ? " (duplicate)" : "");
        if (status->answer == STATUS_ANSWERED)
            row_add_cell(cells, "%.1fms", status->seconds * 1000);
        else
            row_add_cell(cells, "-");
        row_add_cell(cells, "%s", instance->config_directory);
    }
    row_append_table(out, columns, sizeof(columns) / sizeof(columns[0]), cells,
                     isatty(STDOUT_FILENO) == 1);
    utarray_free(cells);
}

/* Why an instance that ought to be in order is not; if verbose, also which ones are responding, and
 * why one that is not enabled is not. */
static void report_status(const struct kicks_report *report, const struct status *status)
{
    const struct selection *selection = report->selection;
    const struct kick *kick = status->kick;
    const struct instance *instance = kick->member->instance;
    const char *level = status->is_wanted ? "warning" : NULL;
    const char *reason = status->reason != NULL ? status->reason : kick->reason;

    if (!status->is_wanted && report->verbose == 0)
        return;
    if (kick->member->state == SELECTION_FAILED)
        row_diag_error(selection, instance);
    else if (kick->member->state == SELECTION_DUPLICATE)
        diag_line("warning", "%s: %s", instance->config_directory, kick->reason);
    else if (status->reason != NULL && status->answer == STATUS_ANSWERED)
        row_diag(selection, instance, level, "%s", reason);
    else if (status->reason != NULL || kick->status == KICK_DUPLICATE)
        row_diag(selection, instance, level, "%s/%s: %s", kick->class, kick->service, reason);
    else if (report->verbose > 0)
        row_diag(selection, instance, NULL, "%s/%s: responding after %.1fms", kick->class,
                 kick->service, status->seconds * 1000);
}

static bool write_out(const struct kicks_report *report)
{
    const struct kicks *kicks = report->kicks;
    UT_string out;

    utstring_init(&out);
    for (size_t i = 0; i < kicks->count; i++) {
        if (report->json && report->statuses != NULL)
            append_status(&report->statuses[i], &out);
        else if (report->json)
            append_kick(&kicks->items[i], &out);
        else if (report->dry_run && is_news(kicks, i))
            append_plan(&kicks->items[i], &out);
    }
    if (!report->json && report->statuses != NULL)
        append_table(report, &out);
    bool written = output_flush(&out);
    utstring_done(&out);
    return written;
}

bool report_kicks(const struct kicks_report *report)
{
    const struct kicks *kicks = report->kicks;
    const struct instance *failed = selection_lone_failure(report->selection);
    bool is_silent = report->quiet || report->dry_run;
    bool is_well = write_out(report);

    if (is_silent && failed != NULL && (report->json || !report->dry_run))
        row_diag_error(report->selection, failed); /* the plan in text has it */
    for (size_t i = 0; i < kicks->count; i++) {
        const struct kick *kick = &kicks->items[i];
        const struct status *status = report->statuses == NULL ? NULL : &report->statuses[i];

        is_well = is_well && (status != NULL ? status->has_succeeded : kick->has_succeeded);
        if (is_silent)
            continue;
        if (status != NULL)
            report_status(report, status);
        else if (kick->member->state == SELECTION_SERVE)
            report_kick(report, kick);
        else if (is_news(kicks, i))
            report_unserved(report, kick);
    }
    return is_well;
}

void report_kicks_progress(void *context, int64_t now)
{
    const struct kicks *kicks = context;
    struct progress progress = {0};

    for (size_t i = 0; i < kicks->count; i++) {
        const struct kick *kick = &kicks->items[i];

        if (kick->trigger == NULL)
            continue;
        progress_add(&progress, kick->trigger->state == TRIGGER_DONE,
                     kick->member->instance->config_directory, kick->trigger->ends);
    }
    progress_show(&progress, now);
}
