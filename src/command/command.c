/* SPDX-License-Identifier: MIT */
/* Makes the selection that the options ask for, and lists it: -l. */
#include "command/command.h"
#include "base/diag.h"
#include "report/list.h"
#include "report/row.h"
#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static enum selection_trust find_trust(const struct command *command)
{
    if (command->options->mode == OPTIONS_MESSAGES && command->settings->refuse_writable)
        return SELECTION_REFUSES;
    if (command->options->mode == OPTIONS_POSTFIX)
        return command->settings->refuse_writable ? SELECTION_REFUSES : SELECTION_WARNS;
    return command->verbose > 0 || command->options->dry_run ? SELECTION_WARNS : SELECTION_TRUSTS;
}

/* Whoever looks at the instances, or runs a command of postfix(1), is shown what keeps postmulti(1)
 * from doing so. */
static bool shows_conflicts(const struct options *options)
{
    return options->dry_run || options->mode == OPTIONS_LIST || options->mode == OPTIONS_STATUS ||
           options->mode == OPTIONS_POSTFIX;
}

void command_report_selection(const struct command *command, const struct selection *selection)
{
    const struct options *options = command->options;
    bool with_remarks = selection->is_single || command->verbose > 0 || options->dry_run ||
                        options->mode == OPTIONS_LIST;

    if (!options->quiet)
        report_selection(selection, shows_conflicts(options), with_remarks);
}

/* Whether there is nothing to do for the selection; reports why. */
static bool report_refusal(const struct command *command, const struct selection *selection)
{
    char *refusal = selection_refusal(selection);

    if (refusal == NULL)
        return false;
    command_report_selection(command, selection);
    diag_line("fatal", "%s", refusal);
    free(refusal);
    return true;
}

/* Whether a name means several instances, so that a command could reach one that was not meant;
 * reports it. */
static bool report_ambiguity(const struct selection *selection)
{
    char *ambiguity = selection_find_ambiguity(selection);

    if (ambiguity != NULL)
        diag_line("fatal", "%s", ambiguity);
    free(ambiguity);
    return ambiguity != NULL;
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

    bool acts = options->mode == OPTIONS_POSTFIX || options->mode == OPTIONS_EXECUTE ||
                (options->mode == OPTIONS_MESSAGES && message_verbs[options->verb].option != NULL);

    if (!selection_make(selection, &criteria)) {
        report_no_selection(selection);
        return false;
    }
    if (options->json || shows_conflicts(options))
        host_find_conflicts(&selection->host);
    return !report_refusal(command, selection) && !(acts && report_ambiguity(selection));
}

bool command_mark(const struct command *command, struct selection *selection, bool all)
{
    selection_mark(selection, all);
    return !report_refusal(command, selection);
}

/* Reports the errors of instances; if quiet, only a fatal one. Returns false if there are any. */
static bool report_errors(const struct selection *selection, bool quiet)
{
    bool succeeded = true;

    for (size_t i = 0; i < selection->member_count; i++) {
        if (selection->members[i].instance->error == NULL)
            continue;
        if (!quiet || selection->is_single)
            row_diag_error(selection, selection->members[i].instance);
        succeeded = false;
    }
    return succeeded;
}

/* Returns false when the list could not be written. */
static bool write_out(const struct command *command, struct selection *selection)
{
    UT_string out;

    utstring_init(&out);
    if (command->options->json) {
        struct master_locks *locks = master_locks_new(command->limits);
        selection_find_running(selection, locks);
        master_locks_free(locks);
    }
    report_list(selection, command->options->json, isatty(STDOUT_FILENO) == 1, &out);
    bool written = output_flush(&out);
    utstring_done(&out);
    return written;
}

/* Says why a host lists one instance only that has others in the old style. */
static void report_old_style(const struct selection *selection)
{
    const struct instance *home = &selection->host.instances[0];
    const char *others = instance_value(home, PARAMETER_ALTERNATE_CONFIG_DIRECTORIES);

    if (selection->is_single && home->is_default && others[strspn(others, " \t,")] != '\0')
        diag_line(NULL,
                  "%s/main.cf: alternate_config_directories lists no instances: list them in "
                  "multi_instance_directories",
                  home->config_directory);
}

int command_list(const struct command *command)
{
    struct selection selection;
    int status = 1;

    if (command_select(command, PARAMETER_FOR_LIST, &selection)) {
        bool written = write_out(command, &selection);
        command_report_selection(command, &selection);
        if (command->verbose > 0)
            report_old_style(&selection);
        bool succeeded = report_errors(&selection, command->options->quiet);
        status = written && succeeded && utarray_len(selection.unmatched) == 0 ? 0 : 1;
    }
    selection_free(&selection);
    return status;
}

const char *command_find_directory(struct host *host)
{
    const char *found = host_find_directory(host, PARAMETER_COMMAND_DIRECTORY);
    struct stat status;
    int error = stat(found, &status) < 0 ? errno : 0;

    if (error == 0 && !S_ISDIR(status.st_mode))
        error = ENOTDIR;
    if (found[0] != '/')
        diag_line("fatal", "command_directory is not an absolute path: %s", found);
    else if (error != 0)
        diag_line("fatal", "command_directory %s: %s", found, strerror(error));
    else
        return found;
    return NULL;
}
