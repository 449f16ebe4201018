/* SPDX-License-Identifier: MIT */
/* Reports the results of kicks, their dry run, and the states that those of -s show. */
#include "report/kicks.h"
#include "base/diag.h"
#include "base/path.h"
#include "report/row.h"
#include <errno.h>
#include <string.h>
#include <unistd.h>

/* Writes Postfix's own lines. Returns false where Postfix has none. */
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
    return true;
}

/* Whether our reason says more than Postfix's lines. */
static bool says_more(const struct trigger *trigger)
{
    if (trigger->outcome == TRIGGER_LOOKUP)
        return trigger->error == ENOENT || trigger->error == EACCES;
    return trigger->outcome != TRIGGER_WRONG_TYPE;
}

static void report_success(const struct selection *selection, const struct kick *kick)
{
    const struct trigger *trigger = kick->trigger;
    const char *how = trigger->wait_for_close && trigger->is_socket ? "finished" : "read";

    row_diag(selection, kick->member->instance, NULL, "%s/%s: request \"%s\" %s after %.1fms",
             kick->class, kick->service, kick->request, how, kick->seconds * 1000);
}

/* If the kick whose outcome it shares has failed, the reason of a duplicate contains that one's. */
static void report_duplicate(const struct selection *selection, const struct kick *kick)
{
    row_diag(selection, kick->member->instance, "warning", "%s/%s: %s%s", kick->class,
             kick->service, kick->reason, kick->has_succeeded ? ": not kicked again" : "");
}

static void report_kick(const struct selection *selection, const struct kick *kick, bool as_postfix,
                        int verbose)
{
    const struct trigger *trigger = kick->trigger;

    if (kick->status == KICK_DUPLICATE)
        report_duplicate(selection, kick);
    else if (kick->status == KICK_KICKED && verbose > 0)
        report_success(selection, kick);
    else if (kick->has_succeeded)
        return;
    else if (!as_postfix || trigger == NULL || !report_as_postfix(kick) || says_more(trigger))
        row_diag(selection, kick->member->instance, "warning", "%s/%s: %s", kick->class,
                 kick->service, kick->reason);
}

/* That an instance is left out is news only to whoever has named it. */
static void report_unserved(const struct selection *selection, const struct kick *kick, int verbose)
{
    const struct instance *instance = kick->member->instance;
    const char *directory = instance->config_directory;
    bool is_named = kick->member->is_named;

    if (kick->member->state == SELECTION_FAILED)
        row_diag_error(selection, instance);
    else if (kick->member->state == SELECTION_DUPLICATE)
        diag_line("warning", "%s: %s: not kicked again", directory, kick->reason);
    else if (is_named || verbose > 0)
        diag_line(is_named ? "warning" : NULL,
                  "%s: not enabled: not kicked (-a or -c %s overrides)", directory, directory);
}

/* An instance that is not served is reported once, not for each target. */
static bool is_first_of_instance(const struct kicks *kicks, size_t index)
{
    return index == 0 || kicks->items[index - 1].member != kicks->items[index].member;
}

/* In Postfix's words where Postfix has some, followed by the reason if it says more; Postfix has no
 * actions. */
static void report_results(const struct kicks_report *report)
{
    const struct selection *selection = report->selection;
    const struct kicks *kicks = report->kicks;
    bool as_postfix = selection->is_single && !kicks->is_action;

    for (size_t i = 0; i < kicks->count; i++) {
        if (kicks->items[i].member->state == SELECTION_SERVE)
            report_kick(selection, &kicks->items[i], as_postfix, report->verbose);
        else if (is_first_of_instance(kicks, i))
            report_unserved(selection, &kicks->items[i], report->verbose);
    }
}

/* Appends the line of the dry run about an instance that is not served. */
static void plan_member(const struct kick *kick, UT_string *out)
{
    bool has_failed = kick->member->state == SELECTION_FAILED;

    row_append_line(out, "%s: %s: %s", kick->member->instance->config_directory,
                    has_failed ? "fail" : "skip",
                    kick->member->state == SELECTION_DISABLED ? "not enabled" : kick->reason);
}

/* The same about one kick. */
static void plan_kick(const struct kick *kick, UT_string *out)
{
    const struct instance *instance = kick->member->instance;
    const char *verb = kick->status == KICK_PLANNED     ? "send"
                       : kick->status == KICK_DUPLICATE ? "skip:"
                                                        : "fail:";

    row_append_line(out, "%s: %s \"%s\" to %s/%s/%s%s%s", instance->config_directory, verb,
                    kick->request, instance_value(instance, PARAMETER_QUEUE_DIRECTORY), kick->class,
                    kick->service, kick->reason == NULL ? "" : ": ",
                    kick->reason == NULL ? "" : kick->reason);
}

static void append_plan(const struct kicks *kicks, UT_string *out)
{
    for (size_t i = 0; i < kicks->count; i++) {
        const struct kick *kick = &kicks->items[i];

        if (kick->member->state == SELECTION_SERVE)
            plan_kick(kick, out);
        else if (is_first_of_instance(kicks, i))
            plan_member(kick, out);
    }
}

const char *report_kick_status(enum kick_status status)
{
    static const char *const names[] = {
        [KICK_KICKED] = "kicked",         [KICK_UNCONFIRMED] = "unconfirmed",
        [KICK_UNFINISHED] = "unfinished", [KICK_FAILED] = "failed",
        [KICK_DISABLED] = "disabled",     [KICK_DUPLICATE] = "duplicate",
        [KICK_PLANNED] = "planned",
    };

    return names[status];
}

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
    row_add_text(row, "status", report_kick_status(kick->status));
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

/* Returns the state of an instance that ought to be in order. */
static const char *describe_wanted(const struct status *status)
{
    const struct kick *kick = status->kick;
    const struct kick *first = kick->duplicate_of == NULL ? kick : kick->duplicate_of;

    if (kick->member->state == SELECTION_FAILED)
        return "configuration error";
    if (status->state == STATUS_UNKNOWN && first->trigger != NULL &&
        first->trigger->error == EACCES)
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

/* Below titles on a terminal. */
static void append_table(const struct kicks_report *report, UT_string *out)
{
    static const struct row_column columns[] = {
        {.title = "NAME"}, {.title = "GROUP"},     {.title = "STATE"},
        {.title = "TIME"}, {.title = "DIRECTORY"},
    };
    UT_array *cells;

    utarray_new(cells, &strings_icd);
    for (size_t i = 0; i < report->kicks->count; i++)
        add_cells(cells, &report->statuses[i]);
    row_append_table(out, columns, sizeof(columns) / sizeof(columns[0]), cells,
                     isatty(STDOUT_FILENO) == 1);
    utarray_free(cells);
}

/* Why an instance that ought to be in order is not; if verbose, also which ones are responding, and
 * why one that is not enabled is not. */
static void report_status(const struct selection *selection, const struct status *status,
                          int verbose)
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

static bool write_out(const struct kicks_report *report)
{
    const struct kicks *kicks = report->kicks;
    UT_string out;

    utstring_init(&out);
    for (size_t i = 0; report->json && i < kicks->count; i++) {
        if (report->statuses != NULL)
            append_status(&report->statuses[i], &out);
        else
            append_kick(&kicks->items[i], &out);
    }
    if (!report->json && report->statuses != NULL)
        append_table(report, &out);
    else if (!report->json && report->dry_run)
        append_plan(kicks, &out);
    bool written = output_flush(&out);
    utstring_done(&out);
    return written;
}

bool report_kicks(const struct kicks_report *report)
{
    const struct kicks *kicks = report->kicks;
    const struct instance *failed = report->selection->lone_failure;
    bool is_well = write_out(report);

    if (report->quiet || report->dry_run) {
        if (failed != NULL && (report->json || !report->dry_run)) /* the plan in text has it */
            row_diag_error(report->selection, failed);
    } else if (report->statuses == NULL) {
        report_results(report);
    }
    for (size_t i = 0; i < kicks->count; i++) {
        const struct status *status = report->statuses == NULL ? NULL : &report->statuses[i];

        if (status != NULL && !report->quiet)
            report_status(report->selection, status, report->verbose);
        is_well =
            is_well && (status != NULL ? status->has_succeeded : kicks->items[i].has_succeeded);
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
