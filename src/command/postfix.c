/* SPDX-License-Identifier: MIT */
/* -p: runs a postfix(1) command for every instance, as postmulti(1) -p does. */
#include "base/diag.h"
#include "base/strings.h"
#include "command/jobs.h"
#include <string.h>

enum role { ROLE_OTHER, ROLE_START, ROLE_STOP, ROLE_CONTROL };

/* Finds the role of a postfix(1) command in the lists of the default main.cf; in several, the first
 * one decides. Returns false when a list is not known, and the reason was reported: "start" would
 * start instances that are not enabled. */
static bool find_role(const struct selection *selection, const char *word, enum role *role)
{
    static const struct {
        enum parameter parameter;
        enum role role;
    } lists[] = {
        {PARAMETER_POSTMULTI_START_COMMANDS, ROLE_START},
        {PARAMETER_POSTMULTI_STOP_COMMANDS, ROLE_STOP},
        {PARAMETER_POSTMULTI_CONTROL_COMMANDS, ROLE_CONTROL},
    };
    const struct instance *home = selection_home(selection);

    *role = ROLE_OTHER;
    for (size_t i = 0; i < sizeof(lists) / sizeof(lists[0]); i++) {
        const char *list = home->values[lists[i].parameter];
        if (list == NULL && !selection->is_single) {
            if (home->notice != NULL)
                diag_line("warning", "%s", home->notice);
            diag_line("fatal", "%s", home->error != NULL ? home->error : "not resolved");
            return false;
        }
        UT_array *words = strings_split(list != NULL ? list : "", STRINGS_SEPARATORS);
        if (*role == ROLE_OTHER && strings_contain(words, word))
            *role = lists[i].role;
        utarray_free(words);
    }
    return true;
}

/* Warns of instances that were given with -i and are not started; a dry run, of all. */
static void warn_not_enabled(const struct command *command, const struct selection *selection)
{
    const struct options *options = command->options;

    if (options->quiet || (utarray_len(options->names) == 0 && !options->dry_run))
        return;
    for (size_t i = 0; i < selection->member_count; i++) {
        const struct selection_member *member = &selection->members[i];
        const char *directory = member->instance->config_directory;

        if (member->state == SELECTION_DISABLED)
            diag_line("warning", "%s: not enabled: check is run instead of %s (-c %s overrides)",
                      directory, options->operands[0], directory);
    }
}

static void add_settings(void *context, const struct instance *instance, UT_array *settings)
{
    (void)context;
    strings_append(settings, "MAIL_CONFIG=%s", instance->config_directory);
}

/* The arguments: the program, "--" and the operands, with word, unless NULL, as the first. */
static UT_array *build_arguments(const char *program, const struct options *options,
                                 const char *word)
{
    UT_array *arguments;
    char *end = NULL;

    utarray_new(arguments, &strings_icd);
    strings_append(arguments, "%s", program);
    strings_append(arguments, "--");
    strings_append(arguments, "%s", word != NULL ? word : options->operands[0]);
    for (int i = 1; i < options->operand_count; i++)
        strings_append(arguments, "%s", options->operands[i]);
    utarray_push_back(arguments, &end);
    return arguments;
}

static int run_postfix(const struct command *command, struct selection *selection,
                       const char *program)
{
    static const enum job_order orders[] = {[ROLE_OTHER] = JOB_IN_ORDER,
                                            [ROLE_START] = JOB_DEFAULT_FIRST,
                                            [ROLE_STOP] = JOB_DEFAULT_LAST,
                                            [ROLE_CONTROL] = JOB_IN_ORDER};
    enum role role;

    if (!find_role(selection, command->options->operands[0], &role))
        return 1;
    UT_array *arguments = build_arguments(program, command->options, NULL);
    UT_array *check = build_arguments(program, command->options, "check");
    struct jobs_spec spec = {.order = orders[role],
                             .program = program,
                             .argv = (char *const *)(void *)arguments->d,
                             .streams = PROCESS_CAPTURE_AS_TERMINAL,
                             .add_settings = add_settings};

    if (role == ROLE_START)
        spec.argv_not_enabled = (char *const *)(void *)check->d;
    selection_mark(selection, role == ROLE_OTHER);
    if (role == ROLE_START)
        warn_not_enabled(command, selection);
    int status = command_run_jobs(command, selection, &spec);
    utarray_free(arguments);
    utarray_free(check);
    return status;
}

static int find_and_run(const struct command *command, struct selection *selection)
{
    const char *directory = command_find_directory(&selection->host);
    int status = 1;

    if (directory != NULL) {
        char *program = alloc_format("%s/postfix", directory);
        int error = command_check_program(program);
        if (error == 0) {
            status = run_postfix(command, selection, program);
        } else {
            diag_line("fatal", "%s: %s", program, strerror(error));
        }
        free(program);
    }
    return status;
}

int command_postfix(const struct command *command)
{
    struct selection selection;
    int status = 1;

    if (command_select(command, PARAMETER_FOR_POSTFIX, &selection))
        status = find_and_run(command, &selection);
    selection_free(&selection);
    return status;
}
