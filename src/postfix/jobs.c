#include "postfix/jobs.h"
#include "base/clock.h"
#include "base/strings.h"
#include <string.h>

/* A run under way. */
struct progress {
    struct jobs *jobs;
    const struct limits *limits;
    const struct jobs_observer *observer;
    size_t next; /* the first task that was not yet told of */
};

/* Decides what becomes of one instance. */
static void plan_job(struct job *job, const struct selection_member *member,
                     const struct jobs_spec *spec)
{
    const struct instance *instance = member->instance;
    bool is_enabled = member->state != SELECTION_DISABLED;

    *job = (struct job){.member = member, .argv = spec->argv, .status = JOB_PLANNED};
    if (!is_enabled && spec->argv_not_enabled != NULL)
        job->argv = spec->argv_not_enabled;
    if (member->state == SELECTION_DUPLICATE) {
        job->status = JOB_DUPLICATE;
        job->reason =
            alloc_format("same queue directory as %s", member->duplicate_of->config_directory);
    } else if (!is_enabled && spec->argv_not_enabled == NULL) {
        job->status = JOB_DISABLED;
        job->reason = alloc_string("not enabled");
    } else if (instance->error != NULL) {
        job->status = JOB_FAILED;
        job->reason = alloc_string(instance->error);
    }
}

static void plan_child(struct jobs *jobs, struct job *job, const struct jobs_spec *spec,
                       bool inherits_input)
{
    struct process *child = &jobs->processes[jobs->process_count++];

    utarray_new(job->settings, &strings_icd);
    spec->add_settings(spec->context, job->member->instance, job->settings);
    *child = (struct process){.program = spec->program,
                              .argv = job->argv,
                              .settings = job->settings,
                              .output = spec->captures ? PROCESS_BOTH : PROCESS_INHERIT,
                              .inherits_input = inherits_input};
    job->child = child;
}

/* Lays out the children of the default instance, or those of the others. */
static void plan_children(struct jobs *jobs, const struct selection *selection,
                          const struct jobs_spec *spec, bool of_default)
{
    for (size_t i = 0; i < jobs->count; i++) {
        size_t at = spec->order == JOB_DEFAULT_LAST ? jobs->count - 1 - i : i;
        struct job *job = &jobs->items[at];

        if (job->status == JOB_PLANNED && job->member->instance->is_default == of_default)
            plan_child(jobs, job, spec, selection->member_count == 1);
    }
}

static void plan_children_in_order(struct jobs *jobs, const struct selection *selection,
                                   const struct jobs_spec *spec)
{
    for (size_t i = 0; i < jobs->count; i++)
        if (jobs->items[i].status == JOB_PLANNED)
            plan_child(jobs, &jobs->items[i], spec, selection->member_count == 1);
}

void jobs_plan(struct jobs *jobs, const struct selection *selection, const struct jobs_spec *spec)
{
    *jobs = (struct jobs){.count = selection->member_count,
                          .parallel = spec->parallel,
                          .is_reversed = spec->order == JOB_DEFAULT_LAST};
    jobs->items = alloc_zeroed(jobs->count, sizeof(*jobs->items));
    jobs->processes = alloc_zeroed(jobs->count, sizeof(*jobs->processes));
    for (size_t i = 0; i < jobs->count; i++)
        plan_job(&jobs->items[i], &selection->members[i], spec);
    if (spec->order == JOB_IN_ORDER) {
        plan_children_in_order(jobs, selection, spec);
        jobs->first_part = jobs->process_count;
        return;
    }
    plan_children(jobs, selection, spec, spec->order == JOB_DEFAULT_FIRST);
    jobs->first_part = jobs->process_count;
    plan_children(jobs, selection, spec, spec->order == JOB_DEFAULT_LAST);
}

/* How the child came to its end, for people; NULL when all is well. */
static char *describe_end(const struct process *child, const struct limits *limits)
{
    bool is_interrupted = limits->interrupted != NULL && *limits->interrupted != 0;

    switch (child->outcome) {
    case PROCESS_PENDING:
        return is_interrupted ? alloc_string("not started: interrupted")
                              : alloc_format("not started within %ds", limits->seconds);
    case PROCESS_NOT_STARTED:
        return alloc_format("run %s: %s", child->program, strerror(child->error));
    case PROCESS_TIMED_OUT:
        return alloc_format("not finished within %ds", limits->seconds);
    case PROCESS_STOPPED:
        return alloc_string("interrupted");
    case PROCESS_ENDED:
        break;
    }
    if (child->error != 0)
        return alloc_format("output cannot be read: %s", strerror(child->error));
    if (child->signal != 0)
        return alloc_format("killed by signal %d (%s)", child->signal, strsignal(child->signal));
    return child->exit_status == 0 ? NULL : alloc_format("exit status %d", child->exit_status);
}

/* Tells of a task that is done. */
static void finish_job(const struct progress *progress, struct job *job)
{
    if (job->child != NULL) {
        job->reason = describe_end(job->child, progress->limits);
        job->status = job->reason == NULL ? JOB_OK : JOB_FAILED;
    }
    if (progress->observer->finished != NULL)
        progress->observer->finished(progress->observer->context, job);
    if (job->child != NULL)
        process_free(job->child);
}

/* Tells of those at the front that are done: in order, and no later than it can be. */
static void advance(void *context, struct process *child)
{
    struct progress *progress = context;
    struct jobs *jobs = progress->jobs;

    (void)child;
    while (progress->next < jobs->count) {
        struct job *job = &jobs->items[progress->next];

        if (job->child != NULL && job->child->finished == 0)
            break;
        finish_job(progress, job);
        progress->next++;
    }
}

void jobs_run(struct jobs *jobs, const struct limits *limits, const struct jobs_observer *observer)
{
    struct progress progress = {.jobs = jobs, .limits = limits, .observer = observer};
    struct process_batch run = {.processes = jobs->processes,
                                .count = jobs->first_part,
                                .parallel = jobs->parallel,
                                .limits = limits,
                                .finished = advance,
                                .context = &progress};

    process_run(&run);
    run.processes += jobs->first_part;
    run.count = jobs->process_count - jobs->first_part;
    process_run(&run);
    for (; progress.next < jobs->count; progress.next++)
        finish_job(&progress, &jobs->items[progress.next]);
}

bool jobs_succeeded(const struct jobs *jobs)
{
    for (size_t i = 0; i < jobs->count; i++)
        if (jobs->items[i].status == JOB_FAILED)
            return false;
    return true;
}

bool jobs_has_work(const struct jobs *jobs)
{
    for (size_t i = 0; i < jobs->count; i++)
        if (jobs->items[i].status != JOB_DISABLED)
            return true;
    return false;
}

const char *job_status_name(enum job_status status)
{
    static const char *const names[] = {
        [JOB_OK] = "ok",
        [JOB_FAILED] = "failed",
        [JOB_DISABLED] = "disabled",
        [JOB_DUPLICATE] = "duplicate",
        [JOB_PLANNED] = "planned",
    };

    return names[status];
}

double job_seconds(const struct job *job)
{
    if (job->child == NULL || job->child->started == 0)
        return 0;
    return (double)(job->child->finished - job->child->started) / (double)CLOCK_SECOND;
}

void jobs_free(struct jobs *jobs)
{
    for (size_t i = 0; i < jobs->count; i++) {
        if (jobs->items[i].settings != NULL)
            utarray_free(jobs->items[i].settings);
        free(jobs->items[i].reason);
    }
    for (size_t i = 0; i < jobs->process_count; i++)
        process_free(&jobs->processes[i]);
    free(jobs->items);
    free(jobs->processes);
    *jobs = (struct jobs){0};
}
