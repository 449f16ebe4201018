/* SPDX-License-Identifier: MIT */
/* Plans and runs a command in every selected instance. */
#include "postfix/jobs.h"
#include <string.h>

/* Jobs that are being run. */
struct running {
    struct jobs *jobs;
    const struct limits *limits;
    size_t next; /* the first job that was not reported as finished */
    void (*observe)(void *context, enum process_event event, const struct job *job);
    void *context;
};

/* Decides what is run in one instance. */
static void plan_job(struct job *job, const struct selection_member *member,
                     const struct jobs_spec *spec)
{
    const struct instance *instance = member->instance;
    bool is_enabled = member->state != SELECTION_DISABLED;

    *job = (struct job){.member = member, .argv = spec->argv, .status = JOB_PLANNED, .spec = spec};
    if (!is_enabled && spec->argv_not_enabled != NULL)
        job->argv = spec->argv_not_enabled;
    if (member->state == SELECTION_DUPLICATE) {
        job->status = JOB_DUPLICATE;
        job->reason = selection_reason(member);
    } else if (!is_enabled && spec->argv_not_enabled == NULL) {
        job->status = JOB_DISABLED;
        job->reason = alloc_string("not enabled");
    } else if (instance->error != NULL) {
        job->status = JOB_FAILED;
        job->reason = instance_failure(instance);
    }
}

static void receive_line(struct process *child, bool is_error, const char *text, size_t length)
{
    const struct job *job = child->owner;

    job->spec->line(job->spec->line_context, job, is_error, text, length);
}

/* postmulti(1) exports the default instance's command_directory and daemon_directory to all; the
 * others are each instance's own. */
static UT_array *make_settings(const struct instance *instance, const struct jobs_spec *spec)
{
    static const enum parameter own[] = {PARAMETER_QUEUE_DIRECTORY, PARAMETER_DATA_DIRECTORY,
                                         PARAMETER_MULTI_INSTANCE_NAME,
                                         PARAMETER_MULTI_INSTANCE_GROUP};
    UT_array *settings;

    utarray_new(settings, &strings_icd);
    strings_append(settings, "MAIL_CONFIG=%s", instance->config_directory);
    if (spec->path == NULL)
        return settings;
    strings_append(settings, "config_directory=%s", instance->config_directory);
    strings_append(settings, "command_directory=%s", spec->command_directory);
    strings_append(settings, "daemon_directory=%s", spec->daemon_directory);
    for (size_t i = 0; i < sizeof(own) / sizeof(own[0]); i++)
        strings_append(settings, "%s=%s", parameter_name(own[i]), instance_value(instance, own[i]));
    strings_append(settings, "multi_instance_enable=%s",
                   instance->enabled == INSTANCE_ENABLED ? "yes" : "no");
    strings_append(settings, "PATH=%s", spec->path);
    return settings;
}

static void plan_child(struct jobs *jobs, struct job *job, const struct jobs_spec *spec)
{
    struct process *child = &jobs->processes[jobs->process_count];

    job->settings = make_settings(job->member->instance, spec);
    *child = (struct process){.program = spec->program,
                              .argv = job->argv,
                              .settings = job->settings,
                              .streams = spec->streams,
                              .output_maximum = spec->output_maximum,
                              .line = spec->line != NULL ? receive_line : NULL,
                              .inherits_input = jobs->count == 1,
                              .owner = job};
    jobs->process_count++;
    job->child = child;
}

/* Plans the children that are run first, or those that wait for them. */
static void plan_children(struct jobs *jobs, const struct jobs_spec *spec, bool first)
{
    for (size_t i = 0; i < jobs->count; i++) {
        struct job *job = &jobs->items[jobs->is_reversed ? jobs->count - 1 - i : i];
        bool is_first = spec->order == JOB_IN_ORDER ||
                        job->member->instance->is_default == (spec->order == JOB_DEFAULT_FIRST);

        if (job->status == JOB_PLANNED && is_first == first)
            plan_child(jobs, job, spec);
    }
}

void jobs_plan(struct jobs *jobs, const struct selection *selection, const struct jobs_spec *spec)
{
    *jobs = (struct jobs){.count = selection->member_count,
                          .spec = spec,
                          .is_reversed = spec->order == JOB_DEFAULT_LAST};
    jobs->items = alloc_zeroed(jobs->count, sizeof(*jobs->items));
    jobs->processes = alloc_zeroed(jobs->count, sizeof(*jobs->processes));
    for (size_t i = 0; i < jobs->count; i++)
        plan_job(&jobs->items[i], &selection->members[i], spec);
    plan_children(jobs, spec, true);
    jobs->first_part = jobs->process_count;
    plan_children(jobs, spec, false);
}

/* Whether the command had nothing to work on. */
static bool is_not_running(const struct job *job)
{
    const char *queue = instance_value(job->member->instance, PARAMETER_QUEUE_DIRECTORY);

    return job->child->exit_status > 0 && job->spec->locks != NULL &&
           master_state(job->spec->locks, queue) == MASTER_STOPPED;
}

/* Returns why the job has failed, a new string, or NULL. */
static char *find_failure(const struct job *job, const struct limits *limits)
{
    const struct process *child = job->child;
    char *failure = process_failure(child, limits);

    if (failure != NULL && is_not_running(job)) {
        free(failure);
        return alloc_format("exit status %d: not running", child->exit_status);
    }
    if (failure != NULL && child->exit_status > 0 && job->spec->is_mute) {
        free(failure);
        return alloc_format("exit status %d: see the mail log", child->exit_status);
    }
    if (failure == NULL && (child->output.truncated || child->errors.truncated))
        return alloc_format(
            "%sstandard %s is longer than %zu MiB", child->line != NULL ? "a line of " : "",
            child->output.truncated ? "output" : "error",
            (child->line != NULL ? CAPTURE_LINE_MAXIMUM : child->output_maximum) / 1024 / 1024);
    return failure;
}

/* Reports the jobs that are done up to the first that is not: in order, and as soon as possible. */
static void finish_jobs(struct running *running, bool is_over)
{
    for (; running->next < running->jobs->count; running->next++) {
        struct job *job = &running->jobs->items[running->next];
        struct process *child = job->child;

        if (child != NULL && child->finished == 0 && !is_over)
            return;
        if (child != NULL) {
            job->reason = find_failure(job, running->limits);
            job->status = job->reason == NULL ? JOB_OK : JOB_FAILED;
        }
        running->observe(running->context, PROCESS_FINISHED, job);
        if (child != NULL)
            process_free(child);
    }
}

static void observe_child(void *context, enum process_event event, struct process *child)
{
    struct running *running = context;

    if (event == PROCESS_FINISHED)
        finish_jobs(running, false);
    else
        running->observe(running->context, event, child != NULL ? child->owner : NULL);
}

void jobs_run(struct jobs *jobs, const struct limits *limits,
              void (*observe)(void *context, enum process_event event, const struct job *job),
              void *context)
{
    struct running running = {jobs, limits, 0, observe, context};
    struct process_batch batch = {.processes = jobs->processes,
                                  .count = jobs->first_part,
                                  .parallel = jobs->spec->parallel,
                                  .signals_known = jobs->spec->signals_known,
                                  .limits = limits,
                                  .observe = observe_child,
                                  .context = &running};

    process_run(&batch);
    batch.processes += jobs->first_part;
    batch.count = jobs->process_count - jobs->first_part;
    process_run(&batch);
    finish_jobs(&running, true);
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
