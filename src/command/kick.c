/* SPDX-License-Identifier: MIT */
/* Sends a request, or those of an action, to every selected instance. */
#include "base/diag.h"
#include "base/output.h"
#include "base/strings.h"
#include "command/command.h"
#include "command/send.h"
#include "postfix/catalogue.h"
#include "report/kicks.h"
#include "report/selection.h"

static void list_actions(struct settings *settings, UT_string *out)
{
    UT_array *names = catalogue_actions(settings);

    for (size_t i = 0; i < utarray_len(names); i++)
        utstring_printf(out, "%s%s", i == 0 ? "" : ", ", strings_item(names, i));
    utarray_free(names);
}

/* Returns the targets that the operands mean; or NULL, and the mistake was reported. */
static UT_array *find_targets(const struct command *command)
{
    char *const *operands = command->options->operands;
    UT_array *targets;

    if (command->options->operand_count == 1) {
        targets = catalogue_action(command->settings, operands[0]);
        if (targets == NULL) {
            UT_string known;
            utstring_init(&known);
            list_actions(command->settings, &known);
            diag_line("fatal",
                      "unknown action: %s: specify class, service and request, or "
                      "one of %s; a postfix(1) command needs -p",
                      operands[0], utstring_body(&known));
            utstring_done(&known);
        }
        return targets;
    }
    if (!target_class_is_valid(operands[0])) {
        diag_line("fatal", "invalid class name: \"%s\": specify public or private", operands[0]);
        return NULL;
    }
    if (!target_service_is_valid(operands[1])) {
        diag_line("fatal", "invalid service name: \"%s\": specify one path component", operands[1]);
        return NULL;
    }
    utarray_new(targets, &target_icd);
    target_append(targets, operands[0], operands[1], operands[2]);
    return targets;
}

/* Reports requests that the services ignore. Returns false when these are refused. */
static bool check_requests(const struct command *command, const UT_array *targets)
{
    bool strict = settings_strict(command->settings), accepted = true;

    for (size_t i = 0; i < utarray_len(targets); i++) {
        const struct target *target = target_item(targets, i);
        UT_array *warnings;

        utarray_new(warnings, &strings_icd);
        catalogue_check(command->settings, target, warnings);
        for (size_t j = 0; j < utarray_len(warnings); j++) {
            char *text = alloc_format("%s/%s: %s", target->class, target->service,
                                      strings_item(warnings, j));
            if (strict)
                diag_line("fatal", "%s", text);
            else if (!command->options->quiet)
                diag_line("warning", "%s", text);
            accepted = accepted && !strict;
            free(text);
        }
        utarray_free(warnings);
    }
    return accepted;
}

/* An action is one word, and has no counterpart in Postfix. */
static bool is_action(const struct command *command)
{
    return command->options->operand_count == 1;
}

/* Writes to standard output. Returns false when that failed. */
static bool write_out(const struct command *command, const struct kicks *kicks)
{
    UT_string out;

    utstring_init(&out);
    if (command->options->json)
        report_kicks_json(kicks, &out);
    else if (command->options->dry_run)
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

    if (!options->dry_run && !options->quiet)
        report_kicks(selection, kicks, selection->is_single && !is_action(command),
                     command->verbose);
    const struct instance *failed = selection_lone_failure(selection);
    if (failed != NULL && !(options->dry_run && !options->json))
        report_instance_error(selection, failed);
}

static bool all_succeeded(const struct selection *selection, const struct kicks *kicks)
{
    for (size_t i = 0; i < kicks->count; i++)
        if (!kick_succeeded(&kicks->items[i]))
            return false;
    return utarray_len(selection->unmatched) == 0;
}

/* Explains and reports the results. Returns whether all kicks succeeded. */
static bool finish(const struct command *command, struct selection *selection, struct kicks *kicks,
                   struct master_locks *locks)
{
    if (command_is_refused(selection))
        return false;
    command_explain(command, kicks, locks);
    if (command->options->json)
        selection_find_running(selection, locks);
    bool written = write_out(command, kicks);
    write_diagnostics(command, selection, kicks);
    return written && all_succeeded(selection, kicks);
}

/* Resolved instances come first. Returns false when requests could not be sent at all. */
static bool send_all(const struct command *command, struct selection *selection,
                     struct kicks *kicks)
{
    bool sent = command_send(command, kicks);

    if (!selection_is_unresolved(selection))
        return sent;
    selection_resolve(selection);
    kicks_plan(kicks, selection);
    return command_send(command, kicks) && sent;
}

/* Plan, send or check, explain, report. Returns the exit status. */
static int kick_selected(const struct command *command, struct selection *selection,
                         const UT_array *targets)
{
    struct master_locks *locks = master_locks_new();
    struct kicks kicks;
    bool sent = true;

    kicks_init(&kicks, targets, is_action(command), settings_kick_limit(command->settings));
    kicks_plan(&kicks, selection);
    if (command->options->dry_run)
        kicks_check(&kicks, locks);
    else
        sent = send_all(command, selection, &kicks);
    bool succeeded = finish(command, selection, &kicks, locks) && sent;
    kicks_free(&kicks);
    master_locks_free(locks);
    return succeeded ? 0 : 1;
}

int command_kick(const struct command *command)
{
    struct selection selection = {0};
    int status = 1;
    UT_array *targets = find_targets(command);

    if (targets == NULL)
        return 1;
    if (check_requests(command, targets) &&
        command_select(command, PARAMETER_FOR_KICK, &selection)) {
        selection_mark(&selection, command->options->all);
        status = kick_selected(command, &selection, targets);
    }
    selection_free(&selection);
    utarray_free(targets);
    return status;
}
