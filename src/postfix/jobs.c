/* SPDX-License-Identifier: MIT */
/* Plans and runs a command in every selected instance. */
#include "postfix/jobs.h"
#include <string.h>

/* Decides what is run in one instance. */
static void plan_job(struct job *job, const struct selection_member *member,
                     const struct jobs_spec *spec)
{
    static const enum job_status statuses[] = {[SELECTION_SERVE] = JOB_PLANNED,
                                               [SELECTION_FAILED] = JOB_FAILED,
                                               [SELECTION_DISABLED] = JOB_DISABLED,
                                               [SELECTION_DUPLICATE] = JOB_DUPLICATE};
    struct selection_member served = *member;

    *job = (struct job){.member = member, .spec = spec, .argv = spec->argv};
    if (member->state == SELECTION_DISABLED && spec->argv_not_enabled != NULL) {
        job->argv = spec->argv_not_enabled;
        served.state = member->instance->error == NULL ? SELECTION_SERVE : SELECTION_FAILED;
    }
    job->status = statuses[served.state];
    job->reason = selection_reason(&served);
}

static void receive_line(struct process *child, bool is_error, const char *text, size_t length)
{
    const struct job *job = child->owner;

    job->spec->line(job->spec->context, job, is_error, text, length);
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

void jobs_plan(struct jobs *jobs, const struct selection *selection, const struct jobs_spec *spec)
{
    *jobs = (struct jobs){.count = selection->member_count, .spec = spec};
    jobs->items = alloc_zeroed(jobs->count, sizeof(*jobs->items));
    for (size_t i = 0; i < jobs->count; i++)
        plan_job(&jobs->items[i], &selection->members[i], spec);
}

/* Returns why the job has failed, a new string, or NULL. */
static char *find_failure(const struct job *job, const struct limits *limits)
{
    const char *queue = instance_value(job->member->instance, PARAMETER_QUEUE_DIRECTORY);
    const struct process *child = &job->child;
    char *failure = process_failure(child, limits);
    bool has_failed = failure != NULL && child->exit_status > 0;
    bool is_stopped = has_failed && job->spec->locks != NULL &&
                      master_state(job->spec->locks, queue) == MASTER_STOPPED;

    if (has_failed && (is_stopped || job->spec->is_mute)) {
        free(failure);
        return alloc_format(is_stopped ? "exit status %d: not running"
                                       : "exit status %d: see the mail log",
                            child->exit_status);
    }
    if (failure == NULL && (child->output.truncated || child->errors.truncated))
        return alloc_format(
            "%sstandard %s is longer than %zu MiB", child->line != NULL ? "a line of " : "",
            child->output.truncated ? "output" : "error",
            (child->line != NULL ? CAPTURE_LINE_MAXIMUM : child->output_maximum) / 1024 / 1024);
    return failure;
}

/* Reports the jobs that are done up to the first that is not: in order, and as soon as possible. */
static void finish_jobs(struct jobs *jobs, bool is_over)
{
    const struct jobs_spec *spec = jobs->spec;

    for (; jobs->next < jobs->count; jobs->next++) {
        struct job *job = &jobs->items[jobs->next];
        char *failure = NULL;

        if (job->status == JOB_PLANNED && job->child.finished == 0 && !is_over)
            return;
        if (job->status == JOB_PLANNED) {
            failure = find_failure(job, jobs->limits);
            job->status = failure == NULL ? JOB_OK : JOB_FAILED;
        }
        if (failure != NULL && job->reason == NULL)
            job->reason = spec->step == NULL ? alloc_string(failure)
                                             : alloc_format("%s: %s", spec->step, failure);
        free(failure);
        spec->observe(spec->context, PROCESS_FINISHED, job);
    }
}

static void observe_child(void *context, enum process_event event, struct process *child)
{
    struct jobs *jobs = context;

    if (event == PROCESS_FINISHED)
        finish_jobs(jobs, false);
    else
        jobs->spec->observe(jobs->spec->context, event, child != NULL ? child->owner : NULL);
}

static void plan_child(struct job *job, char *const *argv, bool is_only)
{
    const struct jobs_spec *spec = job->spec;

    if (job->settings == NULL)
        job->settings = make_settings(job->member->instance, spec);
    job->child = (struct process){.program = spec->program,
                                  .argv = argv,
                                  .settings = job->settings,
                                  .streams = spec->streams,
                                  .output_maximum = spec->output_maximum,
                                  .line = spec->line != NULL ? receive_line : NULL,
                                  .inherits_input = is_only,
                                  .owner = job,
                                  .output = job->child.output,
                                  .errors = job->child.errors};
}

/* Runs those that come first, or those that wait for them. */
static void run_part(struct jobs *jobs, bool is_first)
{
    const struct jobs_spec *spec = jobs->spec;
    const char *step[] = {spec->program, "--", spec->step, NULL};
    struct process **children = alloc_zeroed(jobs->count, sizeof(*children));
    struct process_batch batch = {.processes = children,
                                  .parallel = spec->parallel,
                                  .signals_known = spec->signals_known,
                                  .limits = jobs->limits,
                                  .observe = observe_child,
                                  .context = jobs};

    for (size_t i = 0; i < jobs->count; i++) {
        struct job *job = &jobs->items[spec->order == JOB_DEFAULT_LAST ? jobs->count - 1 - i : i];
        bool goes_first = spec->order == JOB_IN_ORDER ||
                          job->member->instance->is_default == (spec->order == JOB_DEFAULT_FIRST);

        if (job->status != JOB_PLANNED || goes_first != is_first)
            continue;
        plan_child(job, spec->step != NULL ? (char *const *)(void *)step : job->argv,
                   jobs->count == 1);
        children[batch.count++] = &job->child;
    }
    process_run(&batch);
    free(children);
}

void jobs_run(struct jobs *jobs, const struct limits *limits)
{
    jobs->limits = limits;
    jobs->next = 0;
    run_part(jobs, true);
    run_part(jobs, false);
    finish_jobs(jobs, true);
}

void jobs_free(struct jobs *jobs)
{
    for (size_t i = 0; i < jobs->count; i++) {
        if (jobs->items[i].settings != NULL)
            utarray_free(jobs->items[i].settings);
        free(jobs->items[i].reason);
        process_free(&jobs->items[i].child);
    }
    free(jobs->items);
    *jobs = (struct jobs){0};
}
