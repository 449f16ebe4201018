/* SPDX-License-Identifier: MIT */
/* Sends requests, and reports what became of them: of kicks, and of -s. */
#include "command/send.h"
#include "base/descriptors.h"
#include "base/diag.h"
#include "base/output.h"
#include "base/signals.h"
#include "postfix/explain.h"
#include "report/kicks.h"
#include "report/progress.h"
#include "report/selection.h"
#include "report/status.h"
#include <string.h>
#include <unistd.h>

/* Returns how many endpoints may be connected to at once. */
static int connections(const struct command *command)
{
    int most, wanted = command->settings->connections;

    descriptors_raise_limit();
    most = descriptors_for_connections();
    return wanted > 0 && wanted < most ? wanted : most;
}

/* Sends the planned requests at once. Returns false when nothing could be sent, which is reported.
 */
static bool send_planned(const struct command *command, struct kicks *kicks)
{
    struct fanout fanout = {
        .connections = connections(command), .limits = command->limits, .context = kicks};

    if (!command->options->quiet && progress_is_wanted())
        fanout.progress = report_kicks_progress;
    signals_catch();
    int error = kicks_run(kicks, fanout);
    progress_clear();
    if (error != 0)
        diag_line("warning", "epoll: %s", strerror(error));
    return error == 0;
}

/* Resolved instances come first. Returns false when requests could not be sent at all. */
static bool send_all(const struct command *command, struct selection *selection,
                     struct kicks *kicks)
{
    bool sent = send_planned(command, kicks);

    if (!selection_is_unresolved(selection))
        return sent;
    selection_resolve(selection);
    kicks_plan(kicks, selection);
    return send_planned(command, kicks) && sent;
}

/* Writes to standard output. Returns false when that failed. */
static bool write_out(const struct command *command, const struct selection *selection,
                      const struct kicks *kicks)
{
    const struct options *options = command->options;
    UT_string out;

    utstring_init(&out);
    if (options->mode == USAGE_STATUS && options->json)
        report_status_json(selection, kicks, &out);
    else if (options->mode == USAGE_STATUS)
        report_status_text(selection, kicks, isatty(STDOUT_FILENO) == 1, &out);
    else if (options->json)
        report_kicks_json(kicks, &out);
    else if (options->dry_run)
        report_kicks_plan(kicks, &out);
    bool written = output_flush(&out);
    utstring_done(&out);
    return written;
}

/* Writes to standard error. */
static void write_diagnostics(const struct command *command, const struct selection *selection,
                              const struct kicks *kicks)
{
    const struct options *options = command->options;
    bool as_postfix = selection->is_single && !kicks->is_action; /* Postfix has no actions */
    const struct instance *failed = selection_lone_failure(selection);

    if (options->quiet || options->dry_run) {
        if (failed != NULL && !(options->dry_run && !options->json))
            report_instance_error(selection, failed);
    } else if (options->mode == USAGE_STATUS) {
        report_status(selection, kicks, command->verbose);
    } else {
        report_kicks(selection, kicks, as_postfix, command->verbose);
    }
}

static bool all_succeeded(const struct command *command, const struct selection *selection,
                          const struct kicks *kicks)
{
    for (size_t i = 0; i < kicks->count; i++)
        if (command->options->mode == USAGE_STATUS
                ? !report_status_succeeded(selection, &kicks->items[i])
                : !kick_succeeded(&kicks->items[i]))
            return false;
    return utarray_len(selection->unmatched) == 0;
}

/* Explains and reports the results. Returns whether all kicks succeeded. */
static bool finish(const struct command *command, struct selection *selection, struct kicks *kicks,
                   struct master_locks *locks)
{
    if (command_is_refused(selection))
        return false;
    explain_kicks(kicks, locks, command->settings);
    if (command->options->json || command->options->mode == USAGE_STATUS)
        selection_find_running(selection, locks);
    bool written = write_out(command, selection, kicks);
    write_diagnostics(command, selection, kicks);
    return written && all_succeeded(command, selection, kicks);
}

int command_send(const struct command *command, struct selection *selection, struct kicks *kicks)
{
    struct master_locks *locks = master_locks_new(command->limits);
    bool sent = true;

    kicks_plan(kicks, selection);
    if (command->options->dry_run)
        kicks_check(kicks, locks);
    else
        sent = send_all(command, selection, kicks);
    bool succeeded = finish(command, selection, kicks, locks) && sent;
    kicks_free(kicks);
    master_locks_free(locks);
    return succeeded ? 0 : 1;
}
