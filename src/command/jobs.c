#include "command/jobs.h"
#include "base/descriptors.h"
#include "base/diag.h"
#include "base/signals.h"
#include "report/jobs.h"
#include "report/report.h"
#include "report/selection.h"
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* What is needed to tell of a task as soon as it is done. */
struct teller {
    const struct command *command;
    const struct selection *selection;
    bool failed; /* to write */
};

bool command_find_directory(struct programs *programs, const char **directory)
{
    const char *found = programs_directory(programs, PARAMETER_COMMAND_DIRECTORY);
    struct stat status;
    int error = 0;

    if (found[0] != '/') {
        diag_fatal("command_directory is not an absolute path: %s", found);
        return false;
    }
    if (stat(found, &status) < 0)
        error = errno;
    else if (!S_ISDIR(status.st_mode))
        error = ENOTDIR;
    if (error != 0) {
        diag_fatal("command_directory %s: %s", found, strerror(error));
        return false;
    }
    *directory = found;
    return true;
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

static void write_row(struct teller *teller, const struct job *job)
{
    UT_string out;

    utstring_init(&out);
    if (teller->command->options->json) {
        /* Locks are looked up anew: the command may just have started the mail system. */
        struct master_locks *locks = master_locks_new();
        instance_find_running(job->member->instance, locks);
        master_locks_free(locks);
        report_job_json(job, &out);
    } else {
        report_output(teller->selection, job, &out);
    }
    if (!teller->failed && !report_flush(&out))
        teller->failed = true; /* told once, and the commands matter more */
    utstring_done(&out);
}

static void tell(void *context, const struct job *job)
{
    write_row(context, job);
}

/* Shows what would be run. Returns false when that could not be written. */
static bool show_plan(struct teller *teller, const struct jobs *jobs)
{
    UT_string out;

    if (teller->command->options->json) {
        for (size_t i = 0; i < jobs->count; i++)
            write_row(teller, &jobs->items[i]);
        return !teller->failed;
    }
    utstring_init(&out);
    report_jobs_plan(jobs, &out);
    bool written = report_flush(&out);
    utstring_done(&out);
    return written;
}

static bool run_jobs(struct teller *teller, struct jobs *jobs)
{
    const struct command *command = teller->command;
    const struct options *options = command->options;
    const struct selection *selection = teller->selection;
    struct jobs_observer observer = {.finished = tell, .context = teller};

    if (options->verbose > 0 && setenv("MAIL_VERBOSE", "", 1) < 0) /* as postmulti(1) -v */
        alloc_fail();
    signals_catch();
    descriptors_raise_limit();
    jobs_run(jobs, command->limits, &observer);
    if (!options->quiet)
        report_jobs(selection, jobs, command->verbose);
    else if (selection->is_single && selection->members[0].state == SELECTION_FAILED)
        report_instance_error(selection, selection->members[0].instance);
    return !teller->failed;
}

int command_run_jobs(const struct command *command, struct selection *selection,
                     struct jobs_spec *spec)
{
    const struct options *options = command->options;
    struct teller teller = {.command = command, .selection = selection};
    struct jobs jobs;
    bool written;

    spec->parallel = options->parallel;
    spec->captures = options->json || options->parallel > 1;
    jobs_plan(&jobs, selection, spec);
    if (!jobs_has_work(&jobs)) {
        diag_line("fatal", "No matching instances");
        jobs_free(&jobs);
        return 1;
    }
    written = options->dry_run ? show_plan(&teller, &jobs) : run_jobs(&teller, &jobs);
    bool well = written && jobs_succeeded(&jobs) && utarray_len(selection->unmatched) == 0;
    jobs_free(&jobs);
    return well ? 0 : 1;
}
