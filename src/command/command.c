/* What the commands share: the selection that the options ask for. */
#include "command/command.h"
#include "postfix/environment.h"
#include "report/selection.h"

bool command_select(const struct command *command, const bool *keep, struct selection *selection)
{
    const struct options *options = command->options;
    /* postmulti(1) hands its own environment on */
    bool is_run = options->mode == OPTIONS_POSTFIX || options->mode == OPTIONS_EXECUTE;
    struct selection_criteria criteria = {
        .config_directory = options->config_directory,
        .mail_config = command->mail_config,
        .groups = options->groups,
        .names = options->names,
        .overrides = options->overrides,
        .keep = keep,
        .limits = command->limits,
        .reverse = options->reverse,
        .check_all = !is_run,
        .is_manager = is_run || options->mode == OPTIONS_LIST,
        .is_privileged = command->is_privileged,
    };

    if (!selection_make(selection, &criteria, command->settings)) {
        report_no_selection(selection);
        return false;
    }
    if (!command->is_privileged && !is_run)
        environment_import(instance_value(selection_home(selection), PARAMETER_IMPORT_ENVIRONMENT));
    if (!options->quiet)
        report_selection(selection, command->verbose > 0 || options->dry_run);
    return true;
}
