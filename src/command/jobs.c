/* SPDX-License-Identifier: MIT */
/* -p, -p restart and -x: finds programs, and runs, shows and reports jobs. */
#include "report/jobs.h"
#include "base/diag.h"
#include "base/text.h"
#include "command/command.h"
#include "postfix/kick.h"
#include "report/row.h"
#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

/* What a command has to do with running mail systems. */
enum role {
    ROLE_OTHER,
    ROLE_STATUS, /* it shows whether they run */
    ROLE_START,  /* these three are those of postmulti(1) */
    ROLE_STOP,
    ROLE_CONTROL, /* they have to run */
    ROLE_RESTART, /* ours */
};

/* A run of jobs, and its report. */
struct run {
    struct command *command;
    enum role role;
    struct jobs_spec spec;
    struct jobs jobs;
    struct jobs_report report;
    size_t first, end; /* of a restart: the jobs at hand */
    bool was_begun;    /* the restart: something may have been stopped */
};

/* Marks what would fail because there is nothing to work on. */
static void find_stopped(struct run *run)
{
    for (size_t i = 0; i < run->jobs.count; i++) {
        struct job *job = &run->jobs.items[i];
        const char *queue = instance_value(job->member->instance, PARAMETER_QUEUE_DIRECTORY);

        if (job->status == JOB_PLANNED &&
            master_state(&run->report.locks, queue) == MASTER_STOPPED) {
            job->status = JOB_FAILED;
            job->reason = alloc_string("not running");
        }
    }
}

/* A restart stops and starts the instances one after the other, and goes on only when the one
 * before responds. */

/* Seconds that a start may take even if the time of the run is over: an instance that was stopped
 * is not left so. */
#define START_SECONDS 60

/* Between two questions whether an instance responds, in nanoseconds. */
#define ASKING_PAUSE 100000000

/* Gives those of the jobs at hand that have one status another. Returns how many. */
static size_t change(struct run *run, enum job_status from, enum job_status to)
{
    size_t count = 0;

    for (size_t i = run->first; i < run->end; i++) {
        if (run->jobs.items[i].status != from)
            continue;
        run->jobs.items[i].status = to;
        count++;
    }
    return count;
}

static bool have(struct run *run, enum job_status status)
{
    return change(run, status, status) > 0;
}

/* Returns the command to use in place of a restart, a new string, where systemd runs the instance;
 * otherwise NULL. */
static char *find_unit(struct run *run, const struct instance *instance)
{
    const char *queue = instance_value(instance, PARAMETER_QUEUE_DIRECTORY);
    char *unit = master_find_unit(master_lock_holder(&run->report.locks, queue, "pid/master.pid"));
    /* a unit's name may have backslashes, as in postfix@a\\x2db.service */
    const char *quote = unit != NULL && strchr(unit, '\\') != NULL ? "'" : "";
    char *reason =
        unit == NULL ? NULL
                     : alloc_format("run by systemd: systemctl restart %s%s%s", quote, unit, quote);

    free(unit);
    return reason;
}

/* Runs a command of postfix(1) in those that are planned, within limits that may not be those of
 * the run; then signals that have arrived before do not count either. */
static void run_step(struct run *run, const char *step, const struct limits *limits)
{
    run->spec.step = step;
    run->spec.signals_known = limits == run->command->limits ? 0 : signals_count();
    jobs_run(&run->jobs, limits);
}

/* Stops what is running. Where that fails, or it is not known, there may be nothing to stop, and
 * "start" shows it. */
static void stop_next(struct run *run)
{
    for (size_t i = run->first; i < run->end; i++) {
        struct job *job = &run->jobs.items[i];

        if (job->status == JOB_UNTOUCHED && job->member->instance->running != MASTER_STOPPED)
            job->status = JOB_PLANNED;
    }
    run_step(run, "stop", run->command->limits);
    (void)change(run, JOB_OK, JOB_PLANNED);
    (void)change(run, JOB_FAILED, JOB_PLANNED);
    (void)change(run, JOB_UNTOUCHED, JOB_PLANNED);
}

/* Starts what was stopped, even if the time of the run is over, or a signal has arrived. Those that
 * are started are planned to respond. */
static void start_next(struct run *run)
{
    struct limits limits = *run->command->limits;
    int64_t least = clock_after(clock_now(), START_SECONDS);

    if (limits.end < least)
        limits.end = least;
    run_step(run, "start", &limits);
    (void)change(run, JOB_OK, JOB_PLANNED);
}

/* Asks those that are planned to respond, for so many seconds. */
static void ask(struct run *run, const struct command *command, int seconds)
{
    struct kicks kicks = {.is_probe = true,
                          .whole_limit = seconds,
                          .settings = command->settings,
                          .locks = &run->report.locks};
    struct selection asked = command->selection;

    asked.member_count = 0;
    asked.members = alloc_zeroed(run->end - run->first, sizeof(*asked.members));
    for (size_t i = run->first; i < run->end; i++)
        if (run->jobs.items[i].status == JOB_PLANNED)
            asked.members[asked.member_count++] = *run->jobs.items[i].member;
    master_locks_free(kicks.locks);
    (void)command_send(command, &kicks, &asked);
    const struct kick *kick = kicks.items;
    for (size_t i = run->first; i < run->end; i++) {
        struct job *job = &run->jobs.items[i];

        if (job->status != JOB_PLANNED)
            continue;
        free(job->reason);
        job->reason = NULL;
        if (kick->has_succeeded)
            job->status = JOB_OK;
        else
            job->reason = alloc_format("no response: %s", kick->reason);
        kick++;
    }
    kicks_free(&kicks);
    free(asked.members);
}

/* Waits until those that are planned to respond do so, as with -s. */
static void wait_for_response(struct run *run)
{
    struct command command = *run->command;
    int64_t now = clock_now(), end = clock_after(now, command.settings->status_limit);
    struct limits limits = *command.limits;

    if (limits.end < end)
        limits.end = end;
    command.limits = &limits;
    while (have(run, JOB_PLANNED)) {
        ask(run, &command, (int)((end - now + CLOCK_SECOND - 1) / CLOCK_SECOND));
        if (have(run, JOB_PLANNED))
            (void)nanosleep(&(struct timespec){.tv_nsec = ASKING_PAUSE}, NULL);
        now = clock_now();
        if (now >= end || limits_reached(&limits))
            (void)change(run, JOB_PLANNED, JOB_FAILED);
    }
}

/* Restarts as many at once as the options say, until one has failed or the run has to end. */
static void restart_all(struct run *run)
{
    run->end = 0;
    while (!have(run, JOB_FAILED) && !limits_reached(run->command->limits)) {
        int64_t started = clock_now();
        int count = 0;

        for (run->first = run->end; run->end < run->jobs.count && count < run->spec.parallel;
             run->end++)
            count += run->jobs.items[run->end].status == JOB_UNTOUCHED;
        if (count == 0)
            break;
        stop_next(run);
        start_next(run);
        wait_for_response(run);
        for (size_t i = run->first; i < run->end; i++) {
            struct process *child = &run->jobs.items[i].child;

            child->started = child->program == NULL ? 0 : started;
            child->finished = child->program == NULL ? 0 : clock_now();
        }
    }
    run->first = 0;
    run->end = run->jobs.count;
}

/* Restarts what is planned, if all of it can be, and passes a check. */
static void restart(struct run *run)
{
    run->end = run->jobs.count;
    selection_find_running(&run->command->selection, &run->report.locks);
    for (size_t i = 0; i < run->jobs.count; i++) {
        struct job *job = &run->jobs.items[i];

        if (job->status == JOB_PLANNED &&
            (job->reason = find_unit(run, job->member->instance)) != NULL)
            job->status = JOB_FAILED;
    }
    if (run->command->options->dry_run)
        return;
    if (!have(run, JOB_FAILED)) {
        run_step(run, "check", run->command->limits);
        run->was_begun = !have(run, JOB_FAILED);
    }
    (void)change(run, JOB_OK, JOB_UNTOUCHED);
    (void)change(run, JOB_PLANNED, JOB_UNTOUCHED);
    if (run->was_begun)
        restart_all(run);
}

/* Whether an instance that was running has been stopped, and no more. */
static bool is_down(struct run *run, const struct instance *instance)
{
    if (instance->running == MASTER_STOPPED)
        return false;
    master_locks_free(&run->report.locks);
    return master_state(&run->report.locks, instance_value(instance, PARAMETER_QUEUE_DIRECTORY)) ==
           MASTER_STOPPED;
}

/* What was done in each instance, and was not. */
static void report_restart(struct run *run)
{
    const struct selection *selection = &run->command->selection;
    bool is_verbose = run->command->verbose > 0;
    bool is_whole = !have(run, JOB_FAILED) && !have(run, JOB_UNTOUCHED);

    for (size_t i = 0; i < run->jobs.count; i++) {
        const struct job *job = &run->jobs.items[i];
        const struct instance *instance = job->member->instance;

        if (job->status == JOB_OK && (is_verbose || !is_whole))
            row_diag(selection, instance, NULL, "%s and responding",
                     instance->running == MASTER_STOPPED ? "started" : "restarted");
        else if (job->status == JOB_FAILED)
            row_diag(selection, instance, "warning", "%s%s", job->reason,
                     run->was_begun && is_down(run, instance) ? "; it is not running now" : "");
        else if (job->status == JOB_UNTOUCHED && run->was_begun)
            row_diag(selection, instance, "warning", "not touched");
        else if ((job->status == JOB_DISABLED || job->status == JOB_DUPLICATE) &&
                 (is_verbose || job->member->is_named))
            row_diag(selection, instance, "warning", "%s: not restarted", job->reason);
    }
    if (!run->was_begun)
        diag_line("warning", "nothing was stopped");
}

/* Sets up the report as the options ask for, and, unless it is a dry run, prepares this process for
 * running commands. */
static void start(struct run *run)
{
    const struct options *options = run->command->options;

    run->spec.parallel = options->parallel > 0 ? options->parallel : 1;
    run->report = (struct jobs_report){
        .selection = &run->command->selection,
        .jobs = &run->jobs,
        .limits = run->command->limits,
        .changes_running =
            run->role == ROLE_START || run->role == ROLE_STOP || run->role == ROLE_RESTART,
        .has_steps = run->role == ROLE_RESTART,
        .dry_run = options->dry_run,
        .json = options->json,
        .quiet = options->quiet,
        .tag = options->tag,
        .verbose = run->command->verbose,
    };
    report_jobs_start(&run->report, &run->spec);
    if (run->role == ROLE_STATUS || run->role == ROLE_STOP || run->role == ROLE_CONTROL)
        run->spec.locks = &run->report.locks;
    /* Before Postfix 3.8, its commands write errors to standard error only if that is a terminal.
     */
    run->spec.is_mute = options->mode == OPTIONS_POSTFIX && isatty(STDERR_FILENO) != 1 &&
                        run->spec.streams == PROCESS_INHERIT &&
                        run->command->settings->version < SETTINGS_VERSION(3, 8);
    if (options->dry_run)
        return;
    if (options->verbose > 0 && setenv("MAIL_VERBOSE", "", 1) < 0) /* as postmulti(1) -v */
        alloc_fail();
    signals_catch();
}

/* Runs the jobs in the selection, which is marked, and reports the results; or shows what would be
 * run. Returns the exit status. */
static int run_jobs(struct run *run)
{
    const struct options *options = run->command->options;

    start(run);
    jobs_plan(&run->jobs, &run->command->selection, &run->spec);
    if (run->role == ROLE_RESTART)
        restart(run);
    else if (!options->dry_run)
        jobs_run(&run->jobs, run->command->limits);
    else if (run->role == ROLE_CONTROL)
        find_stopped(run);
    bool is_well = command_report_selection(run->command);
    if (run->role == ROLE_RESTART && !options->dry_run && !options->quiet)
        report_restart(run);
    is_well = report_jobs(&run->report) && is_well;
    report_jobs_end(&run->report);
    jobs_free(&run->jobs);
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

/* Whether postfix(1) has the command and accepts its operands; reports if not: otherwise the
 * command would fail in every instance, and "-p stop out" would stop them all. What main.cf lists
 * as a command of some role is one. */
static bool check_command(const struct command *command, enum role role)
{
    const struct options *options = command->options;
    const char *word = options->operands[0], *next = options->operands[1];
    UT_array *known = strings_split(command->settings->commands, PARAMETER_SEPARATORS);
    UT_array *others =
        strings_split(command->settings->commands_with_operands, PARAMETER_SEPARATORS);
    bool accepts_operands = strings_contain(others, word);
    bool is_known = accepts_operands || role >= ROLE_START || strings_contain(known, word);

    utarray_concat(known, others);
    char *choice = text_choice(word, known);
    if (is_known && next != NULL && !accepts_operands)
        refuse_operands(options);
    else if (!is_known && next != NULL && strings_contain(known, next))
        diag_line("fatal",
                  "postfix(1) has no command \"%s\": for one instance: postkick -i %s -p %s", word,
                  word, next);
    else if (!is_known)
        diag_line("fatal", "postfix(1) has no command \"%s\": %s (after --, any is passed on)",
                  word, choice);
    free(choice);
    utarray_free(known);
    utarray_free(others);
    return is_known && (accepts_operands || next == NULL);
}

/* Warns of instances that were given with -i and are not started; a dry run, of all. */
static void warn_not_enabled(const struct command *command)
{
    const struct selection *selection = &command->selection;
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

/* Runs the command by the postfix(1) at that path. */
static int run_postfix(struct command *command, const char *program)
{
    const struct options *options = command->options;
    struct run run = {.command = command, .role = ROLE_RESTART};
    int status = 1, error = check_program(program);

    if (error != 0)
        diag_line("fatal", "%s: %s", program, strerror(error));
    if (error != 0 ||
        (!options->restart && (!find_role(&command->selection, options->operands[0], &run.role) ||
                               !(options->ended || check_command(command, run.role)))))
        return 1;
    UT_array *arguments = build_arguments(program, options, NULL);
    UT_array *check = build_arguments(program, options, "check");
    run.spec = (struct jobs_spec){.order = run.role == ROLE_START  ? JOB_DEFAULT_FIRST
                                           : run.role == ROLE_STOP ? JOB_DEFAULT_LAST
                                                                   : JOB_IN_ORDER,
                                  .program = program,
                                  .argv = (char *const *)(void *)arguments->d,
                                  .streams = PROCESS_CAPTURE_AS_TERMINAL};
    if (run.role == ROLE_START) {
        run.spec.argv_not_enabled = (char *const *)(void *)check->d;
        (void)selection_mark(&command->selection, false);
        warn_not_enabled(command);
    }
    if (run.role == ROLE_START || command_mark(command, run.role < ROLE_START))
        status = run_jobs(&run);
    utarray_free(arguments);
    utarray_free(check);
    return status;
}

/* postmulti(1) uses this when there is no PATH. */
#define ROOT_PATH "/bin:/usr/bin:/sbin:/usr/sbin"

/* Finds the program that name means: a path, or in the absolute directories of path; relative ones
 * would mean another program in another working directory. Returns its path, a new string; or NULL,
 * and the reason was reported. */
static char *find_program(const char *path, const char *name)
{
    bool is_path = strchr(name, '/') != NULL;
    UT_array *directories = strings_split(is_path ? "/" : path, ":");
    char *found = NULL;
    int error = ENOENT;

    for (size_t i = 0; i < utarray_len(directories) && found == NULL && name[0] != '\0'; i++) {
        const char *directory = strings_item(directories, i);

        if (directory[0] != '/')
            continue;
        found = is_path ? alloc_string(name) : alloc_format("%s/%s", directory, name);
        int result = check_program(found);
        if (result == 0)
            continue;
        if (is_path || result == EACCES) /* as execvp(3) */
            error = result;
        free(found);
        found = NULL;
    }
    utarray_free(directories);
    if (found == NULL)
        diag_line("fatal", "%s: %s", name[0] != '\0' ? name : "\"\"",
                  error == ENOENT ? "command not found" : strerror(error));
    return found;
}

static int run_program(struct command *command)
{
    const char *path = getenv("PATH");
    char *own_path = alloc_format("%s:%s", command->directory,
                                  path != NULL && path[0] != '\0' ? path : ROOT_PATH);
    char *program = find_program(own_path, command->options->operands[0]);
    struct run run = {.command = command,
                      .spec = {.program = program,
                               .argv = command->options->operands,
                               .streams = PROCESS_CAPTURE,
                               .command_directory = command->directory,
                               .daemon_directory = host_find_directory(&command->selection.host,
                                                                       PARAMETER_DAEMON_DIRECTORY),
                               .path = own_path}};
    int status = 1;

    if (program != NULL && command_mark(command, true))
        status = run_jobs(&run);
    free(program);
    free(own_path);
    return status;
}

int command_jobs(struct command *command)
{
    if (!command_select(command))
        return 1;
    if (command->options->mode == OPTIONS_EXECUTE)
        return run_program(command);
    char *program = alloc_format("%s/postfix", command->directory);
    int status = run_postfix(command, program);
    free(program);
    return status;
}
