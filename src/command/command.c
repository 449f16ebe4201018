/* SPDX-License-Identifier: MIT */
/* Makes the selection that the options ask for. */
#include "command/command.h"
#include "base/diag.h"
#include "report/list.h"

static enum selection_trust find_trust(const struct command *command)
{
    if (command->options->mode == OPTIONS_POSTFIX)
        return command->settings->refuse_writable ? SELECTION_REFUSES : SELECTION_WARNS;
    return command->verbose > 0 || command->options->dry_run ? SELECTION_WARNS : SELECTION_TRUSTS;
}

/* Whether there is nothing to do for the selection; reports why. */
static bool report_refusal(const struct selection *selection)
{
    char *refusal = selection_refusal(selection);

    if (refusal != NULL)
        diag_line("fatal", "%s", refusal);
    free(refusal);
    return refusal != NULL;
}

bool command_select(const struct command *command, enum parameter_purpose purpose,
                    struct selection *selection)
{
    const struct options *options = command->options;
    struct selection_criteria criteria = {
        .config_directory = options->config_directory,
        .mail_config = command->mail_config,
        .groups = options->groups,
        .names = options->names,
        .trust = find_trust(command),
        .reverse = options->reverse,
        .enabled_only = options->enabled_only,
        .settings = command->settings,
        .purpose = purpose,
        .limits = command->limits,
    };

    if (!selection_make(selection, &criteria)) {
        report_no_selection(selection);
        return false;
    }
    if (!options->quiet)
        report_selection(selection);
    return !report_refusal(selection);
}

bool command_mark(struct selection *selection, bool all)
{
    selection_mark(selection, all);
    return !report_refusal(selection);
}
