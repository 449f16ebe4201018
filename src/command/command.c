/* SPDX-License-Identifier: MIT */
/* Makes the selection that the options ask for, runs their command in it, and lists it: -l. */
#include "command/command.h"
#include "base/diag.h"
#include "report/row.h"
#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Remarks of one instance that are shown where there are several instances, and their bytes. */
#define REMARKS_MAXIMUM 5
#define REMARK_LENGTH 300

/* The columns of "postmulti -l". */
#define LIST_COLUMNS "%-15s %-15s %-9s %s"

/* Whoever looks at the instances, or runs a command of postfix(1), is shown what keeps postmulti(1)
 * from doing so. */
static bool shows_conflicts(const struct options *options)
{
    return options->dry_run || options->mode == OPTIONS_LIST || options->mode == OPTIONS_STATUS ||
           options->mode == OPTIONS_POSTFIX;
}

/* On a host with one instance, all that Postfix says; otherwise, bounded, so that one main.cf
 * cannot hide what is said of the others. */
static void report_remarks(const struct selection *selection, const struct instance *instance)
{
    size_t count = instance->warnings == NULL ? 0 : utarray_len(instance->warnings);
    size_t most = selection->is_single ? count : REMARKS_MAXIMUM;

    for (size_t i = 0; i < count && i < most; i++) {
        const char *remark = strings_item(instance->warnings, i); /* it names the file */

        if (selection->is_single || strlen(remark) <= REMARK_LENGTH)
            diag_line("warning", "%s", remark);
        else
            diag_line("warning", "%.*s...", REMARK_LENGTH, remark);
    }
    if (count > most)
        diag_line("warning", "%s: and %zu more", instance->config_directory, count - most);
}

bool command_report_selection(const struct command *command)
{
    const struct options *options = command->options;
    const struct selection *selection = &command->selection;
    const UT_array *conflicts = selection->host.conflicts, *warnings = selection->warnings;
    bool with_remarks = selection->is_single || command->verbose > 0 || options->dry_run ||
                        options->mode == OPTIONS_LIST;
    bool is_question = options->mode == OPTIONS_STATUS || options->dry_run;
    bool is_well = selection->unmatched == 0 && !(is_question && conflicts != NULL);

    if (options->quiet)
        return is_well;
    for (size_t i = 0; with_remarks && i < selection->member_count; i++) {
        const struct instance *instance = selection->members[i].instance;

        /* errors in one that is not enabled are nobody's concern yet */
        if (instance->enabled != INSTANCE_DISABLED || selection->is_single)
            report_remarks(selection, instance);
    }
    for (size_t i = 0; shows_conflicts(options) && conflicts != NULL && i < utarray_len(conflicts);
         i++)
        diag_line("warning", "%s: postmulti(1) refuses every instance", strings_item(conflicts, i));
    for (size_t i = 0; i < utarray_len(warnings); i++)
        diag_line("warning", "%s", strings_item(warnings, i));
    return is_well;
}

/* Reports why there is nothing to do: one fatal line, after the warnings that belong to it. Always
 * false, for the caller to return. */
static bool report_refusal(const struct command *command)
{
    const struct host *host = &command->selection.host;

    if (host->notice != NULL)
        diag_line("warning", "%s", host->notice);
    (void)command_report_selection(command);
    diag_line("fatal", "%s", host->error);
    return false;
}

/* Returns false when the list could not be written. */
static bool write_out(struct command *command)
{
    struct selection *selection = &command->selection;
    bool json = command->options->json;
    UT_string out;

    utstring_init(&out);
    if (json)
        selection_find_running(selection, NULL);
    else if (isatty(STDOUT_FILENO) == 1)
        row_append_line(&out, LIST_COLUMNS, "NAME", "GROUP", "ENABLED", "DIRECTORY");
    for (size_t i = 0; i < selection->member_count; i++) {
        const struct instance *instance = selection->members[i].instance;

        if (json) {
            json_t *row = row_new(instance);
            char *reason = instance_failure(instance);
            row_add_text(row, "reason", reason);
            row_finish(row, &out);
            free(reason);
        } else {
            row_append_line(&out, LIST_COLUMNS, row_value(instance, PARAMETER_MULTI_INSTANCE_NAME),
                            row_value(instance, PARAMETER_MULTI_INSTANCE_GROUP),
                            row_enabled[instance->enabled], instance->config_directory);
        }
    }
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

static int list(struct command *command)
{
    const struct selection *selection = &command->selection;

    if (!command_select(command))
        return 1;
    bool is_well = write_out(command);
    is_well = command_report_selection(command) && is_well;
    if (command->verbose > 0)
        report_old_style(selection);
    for (size_t i = 0; i < selection->member_count; i++) {
        const struct instance *instance = selection->members[i].instance;

        if (instance->error != NULL && (!command->options->quiet || selection->is_single))
            row_diag_error(selection, instance);
        is_well = is_well && instance->error == NULL;
    }
    return is_well ? 0 : 1;
}

/* Finds Postfix's command_directory. Returns whether it is a directory; reports if not. */
static bool find_directory(struct command *command)
{
    const char *found = host_find_directory(&command->selection.host, PARAMETER_COMMAND_DIRECTORY);
    struct stat status;
    int error = stat(found, &status) < 0 ? errno : 0;

    if (error == 0 && !S_ISDIR(status.st_mode))
        error = ENOTDIR;
    if (found[0] != '/')
        diag_line("fatal", "command_directory is not an absolute path: %s", found);
    else if (error != 0)
        diag_line("fatal", "command_directory %s: %s", found, strerror(error));
    command->directory = found;
    return found[0] == '/' && error == 0;
}

static const struct {
    int (*run)(struct command *command);
    enum parameter_purpose purpose;
    bool runs_programs; /* of Postfix */
} commands[] = {
    [OPTIONS_KICK] = {command_kick, PARAMETER_FOR_KICK, false},
    [OPTIONS_LIST] = {list, PARAMETER_FOR_LIST, false},
    [OPTIONS_POSTFIX] = {command_jobs, PARAMETER_FOR_POSTFIX, true},
    [OPTIONS_EXECUTE] = {command_jobs, PARAMETER_FOR_COMMAND, true},
    [OPTIONS_STATUS] = {command_kick, PARAMETER_FOR_STATUS, false},
    [OPTIONS_QUEUES] = {command_queues, PARAMETER_FOR_QUEUES, false},
    [OPTIONS_MESSAGES] = {command_messages, PARAMETER_FOR_KICK, true},
};

bool command_select(struct command *command)
{
    const struct options *options = command->options;
    struct selection *selection = &command->selection;
    bool runs_as_root = options->mode == OPTIONS_POSTFIX || options->mode == OPTIONS_MESSAGES;
    struct selection_criteria criteria = {
        .config_directory = options->config_directory,
        .mail_config = getenv("MAIL_CONFIG"),
        .groups = options->groups,
        .names = options->names,
        .trust = runs_as_root && command->settings->refuse_writable ? SELECTION_REFUSES
                 : options->mode == OPTIONS_POSTFIX || command->verbose > 0 || options->dry_run
                     ? SELECTION_WARNS
                     : SELECTION_TRUSTS,
        .acts = options->mode == OPTIONS_POSTFIX || options->mode == OPTIONS_EXECUTE ||
                (options->mode == OPTIONS_MESSAGES && message_verbs[options->verb].option != NULL),
        .reverse = options->reverse,
        .enabled_only = options->enabled_only,
        .settings = command->settings,
        .purpose = options->restart ? PARAMETER_FOR_RESTART : commands[options->mode].purpose,
        .limits = command->limits,
    };

    bool is_made = selection_make(selection, &criteria);
    if (options->json || shows_conflicts(options))
        host_find_conflicts(&selection->host);
    if (!is_made)
        return report_refusal(command);
    return !commands[options->mode].runs_programs || find_directory(command);
}

bool command_mark(struct command *command, bool all)
{
    return selection_mark(&command->selection, all) || report_refusal(command);
}

int command_run(const struct options *options, struct settings *settings,
                const struct limits *limits)
{
    struct command command = {
        .options = options,
        .settings = settings,
        .limits = limits,
        .verbose = options->verbose + (getenv("MAIL_VERBOSE") != NULL ? 1 : 0),
    };

    if (settings->others_write != NULL && command.verbose > 0 && !options->quiet)
        diag_line("warning", "%s can be written by users other than root", settings->others_write);
    int status = commands[options->mode].run(&command);
    selection_free(&command.selection);
    return status;
}
