/* SPDX-License-Identifier: MIT */
/* Finds programs, and runs, shows and reports jobs, for -p and -x. */
#include "report/jobs.h"
#include "base/diag.h"
#include "base/text.h"
#include "command/command.h"
#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Checks that the path is a program. Returns 0 or an errno. */
static int check_program(const char *path)
{
    struct stat status;

    if (stat(path, &status) < 0)
        return errno;
    if (!S_ISREG(status.st_mode))
        return EACCES;
    return access(path, X_OK) < 0 ? errno : 0; /* for the effective user: privilege is refused */
}

void command_start_jobs(const struct command *command, const struct selection *selection,
                        bool changes_running, struct jobs_spec *spec, struct jobs_report *report)
{
    const struct options *options = command->options;

    *report = (struct jobs_report){
        .selection = selection,
        .limits = command->limits,
        .changes_running = changes_running,
        .has_headings = options->mode == OPTIONS_EXECUTE,
        .dry_run = options->dry_run,
        .json = options->json,
        .quiet = options->quiet,
        .tag = options->tag,
        .parallel = options->parallel > 0 ? options->parallel : 1,
        .verbose = command->verbose,
    };
    report_jobs_start(report, spec);
    if (options->dry_run)
        return;
    if (options->verbose > 0 && setenv("MAIL_VERBOSE", "", 1) < 0) /* as postmulti(1) -v */
        alloc_fail();
    signals_catch();
}

/* What a command has to do with running mail systems. */
enum role {
    ROLE_OTHER,
    ROLE_STATUS, /* it shows whether they run */
    ROLE_START,  /* these three are those of postmulti(1) */
    ROLE_STOP,
    ROLE_CONTROL, /* they have to run */
};

/* Marks what would fail because there is nothing to work on. */
static void find_stopped(struct jobs *jobs, struct master_locks *locks)
{
    for (size_t i = 0; i < jobs->count; i++) {
        struct job *job = &jobs->items[i];
        const struct instance *instance = job->member->instance;

        if (job->status == JOB_PLANNED &&
            master_state(locks, instance_value(instance, PARAMETER_QUEUE_DIRECTORY)) ==
                MASTER_STOPPED) {
            job->status = JOB_FAILED;
            job->reason = alloc_string("not running");
        }
    }
}

/* Before Postfix 3.8, its commands write errors to standard error only if that is a terminal. */
static bool is_mute(const struct command *command, const struct jobs_spec *spec)
{
    return spec->streams == PROCESS_INHERIT && isatty(STDERR_FILENO) != 1 &&
           command->settings->version < SETTINGS_VERSION(3, 8);
}

/* Runs the spec in the selection, which is marked, and reports the results; or shows what would be
 * run. Returns the exit status. */
static int run(const struct command *command, struct selection *selection, struct jobs_spec *spec,
               enum role role)
{
    const struct options *options = command->options;
    struct jobs jobs;
    struct jobs_report report;

    command_start_jobs(command, selection, role == ROLE_START || role == ROLE_STOP, spec, &report);
    report.jobs = &jobs;
    if (role != ROLE_OTHER && role != ROLE_START)
        spec->locks = report.locks;
    spec->is_mute = options->mode == OPTIONS_POSTFIX && is_mute(command, spec);
    jobs_plan(&jobs, selection, spec);
    if (options->dry_run) {
        if (role == ROLE_CONTROL)
            find_stopped(&jobs, report.locks);
    } else {
        jobs_run(&jobs, command->limits, report_job_event, &report);
    }
    bool is_well = command_report_selection(command, selection);
    is_well = report_jobs(&report) && is_well;
    report_jobs_end(&report);
    jobs_free(&jobs);
    return is_well ? 0 : 1;
}

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
    const struct instance *home = &selection->host.instances[0];

    *role = strcmp(word, "status") == 0 ? ROLE_STATUS : ROLE_OTHER;
    for (size_t i = 0; i < sizeof(lists) / sizeof(lists[0]); i++) {
        const char *list = home->values[lists[i].parameter];
        if (list == NULL && !selection->is_single) {
            if (home->notice != NULL)
                diag_line("warning", "%s", home->notice);
            diag_line("fatal", "%s", home->error);
            return false;
        }
        UT_array *words = strings_split(list != NULL ? list : "", PARAMETER_SEPARATORS);
        if (*role < ROLE_START && strings_contain(words, word))
            *role = lists[i].role;
        utarray_free(words);
    }
    return true;
}

/* Shows how to say it if the operands are instances, and no others are selected. */
static void refuse_operands(const struct options *options)
{
    bool is_free = options->config_directory == NULL && utarray_len(options->names) == 0 &&
                   utarray_len(options->groups) == 0;
    UT_string hint;

    utstring_init(&hint);
    if (is_free) {
        utstring_printf(&hint, ": for one instance: postkick");
        for (int i = 1; i < options->operand_count; i++)
            utstring_printf(&hint, " -i %s", options->operands[i]);
        utstring_printf(&hint, " -p %s", options->operands[0]);
    }
    diag_line("fatal", "%s accepts no operands%s", options->operands[0], utstring_body(&hint));
    utstring_done(&hint);
}

static void refuse_command(const struct options *options, const UT_array *known)
{
    const char *word = options->operands[0], *next = options->operands[1];
    char *choice = text_choice(word, known);

    if (next != NULL && strings_contain(known, next))
        diag_line("fatal",
                  "postfix(1) has no command \"%s\": for one instance: postkick -i %s -p %s", word,
                  word, next);
    else
        diag_line("fatal", "postfix(1) has no command \"%s\": %s (after --, any is passed on)",
                  word, choice);
    free(choice);
}

/* Whether postfix(1) has the command and accepts its operands; reports if not: otherwise the
 * command would fail in every instance, and "-p stop out" would stop them all. What main.cf lists
 * as a command of some role is one. */
static bool check_command(const struct command *command, enum role role)
{
    const struct options *options = command->options;
    const char *word = options->operands[0];
    UT_array *known = strings_split(command->settings->commands, PARAMETER_SEPARATORS);
    UT_array *others =
        strings_split(command->settings->commands_with_operands, PARAMETER_SEPARATORS);
    bool is_listed = role >= ROLE_START || strings_contain(known, word);
    bool accepts_operands = strings_contain(others, word);

    utarray_concat(known, others);
    if (!is_listed && !accepts_operands)
        refuse_command(options, known);
    else if (!accepts_operands && options->operand_count > 1)
        refuse_operands(options);
    utarray_free(known);
    utarray_free(others);
    return accepts_operands || (is_listed && options->operand_count == 1);
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
    enum role role;

    if (!find_role(selection, command->options->operands[0], &role) ||
        !(command->options->ended || check_command(command, role)))
        return 1;
    UT_array *arguments = build_arguments(program, command->options, NULL);
    UT_array *check = build_arguments(program, command->options, "check");
    struct jobs_spec spec = {.order = role == ROLE_START  ? JOB_DEFAULT_FIRST
                                      : role == ROLE_STOP ? JOB_DEFAULT_LAST
                                                          : JOB_IN_ORDER,
                             .program = program,
                             .argv = (char *const *)(void *)arguments->d,
                             .streams = PROCESS_CAPTURE_AS_TERMINAL};
    int status = 1;

    if (role == ROLE_START) {
        spec.argv_not_enabled = (char *const *)(void *)check->d;
        (void)selection_mark(selection, false);
        warn_not_enabled(command, selection);
    }
    if (role == ROLE_START || command_mark(command, selection, role < ROLE_START))
        status = run(command, selection, &spec, role);
    utarray_free(arguments);
    utarray_free(check);
    return status;
}

/* Whether the command is ours, and not one of postfix(1). */
static bool is_restart(const struct options *options)
{
    return !options->ended && options->operand_count == 1 &&
           strcmp(options->operands[0], "restart") == 0;
}

static int find_and_run(const struct command *command, struct selection *selection)
{
    const char *directory = command_find_directory(&selection->host);
    int status = 1;

    if (directory != NULL) {
        char *program = alloc_format("%s/postfix", directory);
        int error = check_program(program);
        if (error == 0 && is_restart(command->options))
            status = command_mark(command, selection, false)
                         ? command_restart(command, selection, program)
                         : 1;
        else if (error == 0)
            status = run_postfix(command, selection, program);
        else
            diag_line("fatal", "%s: %s", program, strerror(error));
        free(program);
    }
    return status;
}

int command_postfix(const struct command *command)
{
    struct selection selection;
    int status = 1;

    if (command_select(command,
                       is_restart(command->options) ? PARAMETER_FOR_RESTART : PARAMETER_FOR_POSTFIX,
                       &selection))
        status = find_and_run(command, &selection);
    selection_free(&selection);
    return status;
}

/* postmulti(1) uses this when there is no PATH. */
#define ROOT_PATH "/bin:/usr/bin:/sbin:/usr/sbin"

/* Finds the program in the directories of path. Relative ones are left out: they would mean another
 * program in another working directory. Returns a new string, or NULL with an errno in *error. */
static char *search(const char *path, const char *name, int *error)
{
    UT_array *directories = strings_split(path, ":");
    char *found = NULL;

    *error = ENOENT;
    for (size_t i = 0; i < utarray_len(directories) && found == NULL; i++) {
        if (strings_item(directories, i)[0] != '/')
            continue;
        char *candidate = alloc_format("%s/%s", strings_item(directories, i), name);
        int result = check_program(candidate);
        if (result == 0) {
            found = candidate;
            continue;
        }
        if (result == EACCES)
            *error = EACCES; /* as execvp(3) */
        free(candidate);
    }
    utarray_free(directories);
    return found;
}

/* Returns the path of the program that name means, a new string; or NULL, and the reason was
 * reported. */
static char *find_program(const char *path, const char *name)
{
    char *program = NULL;
    int error = ENOENT;

    if (strchr(name, '/') != NULL) {
        error = check_program(name);
        program = error == 0 ? alloc_string(name) : NULL;
    } else if (name[0] != '\0') {
        program = search(path, name, &error);
    }
    if (program == NULL) {
        diag_line("fatal", "%s: %s", name[0] != '\0' ? name : "\"\"",
                  error == ENOENT ? "command not found" : strerror(error));
    }
    return program;
}

static int run_program(const struct command *command, struct selection *selection,
                       const char *directory)
{
    const char *path = getenv("PATH");
    char *own_path =
        alloc_format("%s:%s", directory, path != NULL && path[0] != '\0' ? path : ROOT_PATH);
    char *program = find_program(own_path, command->options->operands[0]);
    struct jobs_spec spec = {.order = JOB_IN_ORDER,
                             .program = program,
                             .argv = command->options->operands,
                             .streams = PROCESS_CAPTURE,
                             .command_directory = directory,
                             .daemon_directory =
                                 host_find_directory(&selection->host, PARAMETER_DAEMON_DIRECTORY),
                             .path = own_path};
    int status = 1;

    if (program != NULL && command_mark(command, selection, true))
        status = run(command, selection, &spec, ROLE_OTHER);
    free(program);
    free(own_path);
    return status;
}

int command_execute(const struct command *command)
{
    struct selection selection;
    int status = 1;

    if (command_select(command, PARAMETER_FOR_COMMAND, &selection)) {
        const char *directory = command_find_directory(&selection.host);

        if (directory != NULL)
            status = run_program(command, &selection, directory);
    }
    selection_free(&selection);
    return status;
}
