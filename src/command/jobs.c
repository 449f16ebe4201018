/* SPDX-License-Identifier: MIT */
/* Finds programs, and runs, shows and reports jobs, for -p and -x. */
#include "command/jobs.h"
#include "base/descriptors.h"
#include "base/diag.h"
#include "base/output.h"
#include "base/signals.h"
#include "report/jobs.h"
#include "report/progress.h"
#include "report/selection.h"
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* For reporting each job as soon as it is done. */
struct reporting {
    const struct command *command;
    const struct selection *selection;
    const struct jobs *jobs;
    struct master_locks *locks;
    bool failed; /* to write to standard output: reported once, and the commands go on */
};

const char *command_find_directory(struct host *host)
{
    const char *found = host_directory(host, PARAMETER_COMMAND_DIRECTORY);
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

int command_check_program(const char *path)
{
    struct stat status;

    if (stat(path, &status) < 0)
        return errno;
    if (!S_ISREG(status.st_mode))
        return EACCES;
    return faccessat(AT_FDCWD, path, X_OK, AT_EACCESS) < 0 ? errno : 0;
}

static void write_row(struct reporting *reporting, const struct job *job)
{
    UT_string out;

    master_locks_forget(reporting->locks); /* the command may just have started the mail system */
    instance_find_running(job->member->instance, reporting->locks);
    utstring_init(&out);
    report_job_json(job, &out);
    reporting->failed = reporting->failed || !output_flush(&out);
    utstring_done(&out);
}

/* Before a command that writes to our terminal: names its instance. */
static void report_starting(void *context, const struct job *job)
{
    (void)context;
    report_job_heading(job);
}

static void report_stopped(void *context, const struct job *job)
{
    const struct reporting *reporting = context;

    progress_clear();
    report_job_stopped(reporting->selection, job);
}

static void report_finished(void *context, const struct job *job)
{
    struct reporting *reporting = context;

    progress_clear();
    if (reporting->command->options->json)
        write_row(reporting, job);
    else
        report_job_output(reporting->selection, job, &reporting->failed);
}

static void report_progress(void *context, int64_t now)
{
    const struct reporting *reporting = context;

    report_jobs_progress(reporting->jobs, reporting->command->limits->end, now);
}

/* The dry run. */
static void show_plan(struct reporting *reporting)
{
    const struct jobs *jobs = reporting->jobs;
    UT_string out;

    if (reporting->command->options->json) {
        for (size_t i = 0; i < jobs->count; i++)
            write_row(reporting, &jobs->items[i]);
        return;
    }
    utstring_init(&out);
    report_jobs_plan(jobs, &out);
    reporting->failed = !output_flush(&out);
    utstring_done(&out);
}

/* Chooses what is reported while the jobs run. */
static struct jobs_observer observe(struct reporting *reporting, bool is_captured)
{
    const struct options *options = reporting->command->options;
    struct jobs_observer observer = {.finished = report_finished, .context = reporting};

    if (!options->quiet)
        observer.stopped = report_stopped;
    if (!options->quiet && is_captured && progress_is_wanted())
        observer.progress = report_progress;
    if (options->mode == USAGE_EXECUTE && !is_captured && !reporting->selection->is_single &&
        isatty(STDOUT_FILENO) == 1)
        observer.starting = report_starting;
    return observer;
}

static void run_jobs(struct reporting *reporting, struct jobs *jobs, bool is_captured)
{
    const struct command *command = reporting->command;
    const struct options *options = command->options;
    const struct selection *selection = reporting->selection;
    struct jobs_observer observer = observe(reporting, is_captured);

    if (options->verbose > 0 && setenv("MAIL_VERBOSE", "", 1) < 0) /* as postmulti(1) -v */
        alloc_fail();
    signals_catch();
    descriptors_raise_limit();
    jobs_run(jobs, command->limits, &observer);
    progress_clear();
    if (!options->quiet)
        report_jobs(selection, jobs, command->verbose);
    else if (selection_lone_failure(selection) != NULL)
        report_instance_error(selection, selection_lone_failure(selection));
}

int command_run_jobs(const struct command *command, struct selection *selection,
                     struct jobs_spec *spec)
{
    const struct options *options = command->options;
    bool is_captured = options->json || options->parallel > 1;
    struct jobs jobs;
    struct reporting reporting = {.command = command, .selection = selection, .jobs = &jobs};

    spec->parallel = options->parallel;
    if (!is_captured)
        spec->streams = PROCESS_INHERIT;
    jobs_plan(&jobs, selection, spec);
    if (!jobs_has_work(&jobs)) {
        (void)command_is_refused(selection);
        jobs_free(&jobs);
        return 1;
    }
    reporting.locks = master_locks_new(command->limits);
    if (options->dry_run)
        show_plan(&reporting);
    else
        run_jobs(&reporting, &jobs, is_captured);
    bool well = !reporting.failed && jobs_succeeded(&jobs) &&
                (options->json || !jobs_dropped_output(&jobs)) &&
                utarray_len(selection->unmatched) == 0;
    master_locks_free(reporting.locks);
    jobs_free(&jobs);
    return well ? 0 : 1;
}
