/* SPDX-License-Identifier: MIT */
/* Sends a request, those of an action, or that of -s to every selected instance. */
#include "base/descriptors.h"
#include "base/diag.h"
#include "command/command.h"
#include "report/kicks.h"
#include "report/progress.h"
#include "report/row.h"
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

bool command_send(const struct command *command, struct kicks *kicks)
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

/* Writes to standard output. Returns false when that failed. */
static bool write_out(const struct command *command, const struct selection *selection,
                      const struct kicks *kicks)
{
    const struct options *options = command->options;
    UT_string out;

    utstring_init(&out);
    if (options->mode == OPTIONS_STATUS)
        report_status_output(selection, kicks, options->json, isatty(STDOUT_FILENO) == 1, &out);
    else if (options->json || options->dry_run)
        report_kicks_output(kicks, options->json, &out);
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
        if (failed != NULL && (options->json || !options->dry_run)) /* the plan in text has it */
            row_diag_error(selection, failed);
    } else if (options->mode == OPTIONS_STATUS) {
        report_status(selection, kicks, command->verbose);
    } else {
        report_kicks(selection, kicks, as_postfix, command->verbose);
    }
}

static bool all_succeeded(const struct command *command, const struct selection *selection,
                          const struct kicks *kicks)
{
    for (size_t i = 0; i < kicks->count; i++)
        if (command->options->mode == OPTIONS_STATUS
                ? !report_status_succeeded(selection, &kicks->items[i])
                : !kick_succeeded(&kicks->items[i]))
            return false;
    bool is_question = command->options->mode == OPTIONS_STATUS || command->options->dry_run;
    return utarray_len(selection->unmatched) == 0 &&
           !(is_question && selection->host.conflicts != NULL);
}

/* Sends or checks the kicks in the selected instances, and reports the results. Those that are not
 * enabled are kicked only with all. Returns the exit status. */
static int run(const struct command *command, bool all, struct kicks *kicks)
{
    const struct options *options = command->options;
    struct selection selection;
    bool succeeded = false;

    if (command_select(command, PARAMETER_FOR_KICK, &selection) &&
        command_mark(command, &selection, all)) {
        bool sent = true;

        kicks->settings = command->settings;
        kicks->locks = master_locks_new(command->limits);
        kicks_plan(kicks, &selection);
        if (options->dry_run)
            kicks_check(kicks);
        else
            sent = command_send(command, kicks);
        if (options->json || options->mode == OPTIONS_STATUS)
            selection_find_running(&selection, kicks->locks);
        command_report_selection(command, &selection);
        bool written = write_out(command, &selection, kicks);
        write_diagnostics(command, &selection, kicks);
        succeeded = sent && written && all_succeeded(command, &selection, kicks);
        master_locks_free(kicks->locks);
        kicks_free(kicks);
    }
    selection_free(&selection);
    return succeeded ? 0 : 1;
}

/* Returns the targets of an action; or NULL, and reports which actions there are. */
static UT_array *find_action(const struct command *command, const char *name)
{
    UT_array *targets = settings_action(command->settings, name);

    if (targets != NULL)
        return targets;
    UT_array *known = settings_actions(command->settings);
    char *list = strings_join(known, ", ");
    diag_line("fatal",
              "unknown action: %s: specify class, service and request, or "
              "one of %s; a postfix(1) command needs -p",
              name, list);
    free(list);
    utarray_free(known);
    return NULL;
}

/* Returns the target that the three operands mean; or NULL, and reports the mistake. */
static UT_array *find_target(const struct command *command)
{
    char *const *operands = command->options->operands;
    const char *class = operands[0], *service = operands[1];
    UT_array *targets;

    if (target_class_is_valid(class) && target_service_is_valid(service)) {
        utarray_new(targets, &target_icd);
        target_append(targets, class, service, operands[2]);
        return targets;
    }
    targets = settings_action(command->settings, class);
    if (target_class_is_valid(class))
        diag_line("fatal", "invalid service name: \"%s\": specify one path component", service);
    else if (targets != NULL)
        diag_line("fatal", "%s is an action: it accepts no operands, and options go before it",
                  class);
    else
        diag_line("fatal", "invalid class name: \"%s\": specify public or private", class);
    if (targets != NULL)
        utarray_free(targets);
    return NULL;
}

/* Reports requests that the services ignore. Returns false when these are refused. */
static bool check_requests(const struct command *command, const UT_array *targets)
{
    bool strict = command->settings->strict == SETTINGS_STRICT_YES, accepted = true;

    for (size_t i = 0; i < utarray_len(targets); i++) {
        const struct target *target = target_item(targets, i);
        UT_array *warnings;

        utarray_new(warnings, &strings_icd);
        settings_check(command->settings, target, warnings);
        for (size_t j = 0; j < utarray_len(warnings); j++) {
            if (strict || !command->options->quiet)
                diag_line(strict ? "fatal" : "warning", "%s/%s: %s", target->class, target->service,
                          strings_item(warnings, j));
            accepted = accepted && !strict;
        }
        utarray_free(warnings);
    }
    return accepted;
}

int command_kick(const struct command *command)
{
    bool is_action = command->options->operand_count == 1;
    UT_array *targets =
        is_action ? find_action(command, command->options->operands[0]) : find_target(command);
    int status = 1;

    if (targets == NULL)
        return 1;
    if (check_requests(command, targets)) {
        struct kicks kicks = {.targets = targets,
                              .is_action = is_action,
                              .limit = command->settings->kick_limit,
                              .wait = command->options->wait};
        status = run(command, command->options->all, &kicks);
    }
    utarray_free(targets);
    return status;
}

/* By an empty request: qmgr(8) reads it, and does nothing. Whoever asks for the status waits for
 * all, and not for as long as an instance may take for real requests. */
int command_status(const struct command *command)
{
    UT_array *targets;

    utarray_new(targets, &target_icd);
    target_append(targets, "public", "qmgr", "");
    struct kicks kicks = {.targets = targets,
                          .is_action = true,
                          .is_probe = true,
                          .whole_limit = command->settings->status_limit};
    int status = run(command, true, &kicks);
    utarray_free(targets);
    return status;
}
