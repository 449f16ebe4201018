/* SPDX-License-Identifier: MIT */
/* Sends a request, those of an action, or that of -s to every selected instance. */
#include "base/diag.h"
#include "base/strings.h"
#include "command/send.h"
#include "postfix/catalogue.h"

static void list_actions(struct settings *settings, UT_string *out)
{
    UT_array *names = settings_sections(settings, SETTINGS_ACTION);

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
        targets = catalogue_action(command->settings, operands[0]);
        if (targets == NULL) {
            diag_line("fatal", "invalid class name: \"%s\": specify public or private",
                      operands[0]);
            return NULL;
        }
        utarray_free(targets);
        diag_line("fatal", "%s is an action: it takes no operands, and options go before it",
                  operands[0]);
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
    bool strict = command->settings->strict, accepted = true;

    for (size_t i = 0; i < utarray_len(targets); i++) {
        const struct target *target = target_item(targets, i);
        UT_array *warnings;

        utarray_new(warnings, &strings_icd);
        catalogue_check(command->settings, target, warnings);
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
    struct selection selection = {0};
    int status = 1;
    UT_array *targets = find_targets(command);

    if (targets == NULL)
        return 1;
    if (check_requests(command, targets) &&
        command_select(command, PARAMETER_FOR_KICK, &selection)) {
        struct kicks kicks = {.targets = targets,
                              .is_action = command->options->operand_count == 1,
                              .limit = command->settings->kick_limit,
                              .wait = command->options->wait};
        selection_mark(&selection, command->options->all);
        status = command_send(command, &selection, &kicks);
    }
    selection_free(&selection);
    utarray_free(targets);
    return status;
}

/* By an empty request: qmgr(8) reads it, and does nothing. Whoever asks for the status waits for
 * all, and not for as long as an instance may take for real requests. */
int command_status(const struct command *command)
{
    struct selection selection = {0};
    UT_array *targets;
    int status = 1;

    utarray_new(targets, &target_icd);
    target_append(targets, "public", "qmgr", "");
    if (command_select(command, PARAMETER_FOR_KICK, &selection)) {
        struct kicks kicks = {.targets = targets,
                              .is_action = true,
                              .limit = command->settings->status_limit,
                              .is_whole = true};
        selection_mark(&selection, true);
        status = command_send(command, &selection, &kicks);
    }
    selection_free(&selection);
    utarray_free(targets);
    return status;
}
