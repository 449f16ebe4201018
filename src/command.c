#include "command.h"
#include "report.h"
#include "text.h"
#include <string.h>

/* import_environment's name=value items change the environment; plain names do not: they say what
 * may stay, for programs that clean it. postconf(5) */
static void import_environment(const struct instance *home)
{
    UT_array *items =
        text_split(instance_value(home, PARAMETER_IMPORT_ENVIRONMENT), TEXT_LIST_SEPARATORS);

    for (size_t i = 0; i < utarray_len(items); i++) {
        const char *item = alloc_item(items, i);
        const char *equals = strchr(item, '=');

        if (equals == NULL || equals == item)
            continue;
        char *name = alloc_span(item, (size_t)(equals - item));
        if (setenv(name, equals + 1, 1) < 0)
            alloc_fail();
        free(name);
    }
    utarray_free(items);
}

bool command_select(const struct command *command, const bool *keep, struct selection *selection)
{
    const struct options *options = command->options;
    /* postmulti(1) hands its own environment on */
    bool is_run = options->mode == OPTIONS_POSTFIX || options->mode == OPTIONS_EXECUTE;
    struct selection_wish wish = {
        .config_directory = options->config_directory,
        .mail_config = command->mail_config,
        .groups = options->groups,
        .names = options->names,
        .overrides = options->overrides,
        .keep = keep,
        .stop = command->stop,
        .reverse = options->reverse,
        .is_manager = options->mode != OPTIONS_KICK,
        .is_privileged = command->is_privileged,
    };

    if (!selection_make(selection, &wish, command->settings)) {
        report_no_selection(selection);
        return false;
    }
    if (!command->is_privileged && !is_run)
        import_environment(selection_home(selection));
    if (!options->quiet)
        report_selection(selection, command->verbose > 0 || options->dry_run);
    return true;
}
