/* SPDX-License-Identifier: MIT */
/* -p restart: stops and starts the instances one after the other, and goes on only when the one
 * before responds. */
#include "base/diag.h"
#include "base/text.h"
#include "command/command.h"
#include "postfix/kick.h"
#include "report/jobs.h"
#include "report/row.h"
#include <string.h>
#include <time.h>

/* Seconds that a start may take even if the time of the run is over: an instance that was stopped
 * is not left so. */
#define START_SECONDS 60

/* Between two questions whether an instance responds, in nanoseconds. */
#define ASKING_PAUSE 100000000

/* How far the restart of one instance has come. */
enum part_state {
    PART_SKIPPED, /* not enabled, or listed twice */
    PART_UNTOUCHED,
    PART_STOPPED, /* to be started, or started and not seen to respond */
    PART_DONE,
    PART_FAILED,
};

struct part {
    const struct selection_member *member;
    enum part_state state;
    enum master_state running; /* before the restart */
    char *reason;              /* why it failed, or NULL */
    struct process child;      /* for a row of JSON: what its commands wrote, and the last status */
};

struct restart {
    const struct command *command;
    struct selection *selection; /* marked */
    const char *program;         /* postfix(1) */
    struct jobs_spec spec;       /* of its commands */
    struct jobs_report report;
    struct part *parts;      /* in the order of the selection */
    size_t first, end;       /* those that are restarted at once */
    struct selection chosen; /* those of them that the next step is for; its members are copies */
    struct part **chosen_parts;
};

static void fail(struct part *part, char *reason)
{
    part->state = PART_FAILED;
    if (part->reason == NULL)
        part->reason = reason;
    else
        free(reason);
}

/* Returns why an instance cannot be restarted at all, a new string, or NULL. */
static char *find_obstacle(struct restart *restart, struct part *part)
{
    const struct instance *instance = part->member->instance;

    if (part->member->state == SELECTION_FAILED)
        return selection_reason(part->member);
    const char *queue = instance_value(instance, PARAMETER_QUEUE_DIRECTORY);
    part->running = master_state(restart->report.locks, queue);
    char *unit =
        master_find_unit(master_lock_holder(restart->report.locks, queue, "pid/master.pid"));
    /* a unit's name may have backslashes, as in postfix@a\\x2db.service */
    const char *quote = unit != NULL && strchr(unit, '\\') != NULL ? "'" : "";
    char *obstacle =
        unit == NULL ? NULL
                     : alloc_format("run by systemd: systemctl restart %s%s%s", quote, unit, quote);
    free(unit);
    return obstacle;
}

/* Returns whether all instances can be restarted. */
static bool plan(struct restart *restart)
{
    const struct selection *selection = restart->selection;
    bool is_clear = true;

    for (size_t i = 0; i < selection->member_count; i++) {
        struct part *part = &restart->parts[i];

        part->member = &selection->members[i];
        if (part->member->state == SELECTION_DISABLED ||
            part->member->state == SELECTION_DUPLICATE) {
            part->reason = selection_reason(part->member);
            continue;
        }
        part->state = PART_UNTOUCHED;
        char *obstacle = find_obstacle(restart, part);
        if (obstacle != NULL)
            fail(part, obstacle);
        is_clear = is_clear && obstacle == NULL;
    }
    return is_clear;
}

/* Chooses those parts of first to end that are in the state. */
static void choose(struct restart *restart, enum part_state state)
{
    struct selection *chosen = &restart->chosen;

    chosen->member_count = 0;
    for (size_t i = restart->first; i < restart->end; i++) {
        struct part *part = &restart->parts[i];

        if (part->state != state)
            continue;
        restart->chosen_parts[chosen->member_count] = part;
        chosen->members[chosen->member_count++] = *part->member;
    }
}

static void append_capture(struct capture *all, const struct capture *capture)
{
    char buffer[4096];
    size_t count;

    for (size_t at = 0; (count = capture_read(capture, at, buffer, sizeof(buffer))) > 0;
         at += count)
        text_append(&all->text, buffer, count);
    all->length = utstring_len(&all->text);
}

static void observe(void *context, enum process_event event, const struct job *job)
{
    struct restart *restart = context;

    if (event != PROCESS_FINISHED || !restart->report.json) {
        report_job_event(&restart->report, event, job);
    } else if (job->child != NULL) {
        struct process *own = &restart->chosen_parts[job->member - restart->chosen.members]->child;

        append_capture(&own->output, &job->child->output);
        append_capture(&own->errors, &job->child->errors);
        own->outcome = job->child->outcome;
        own->exit_status = job->child->exit_status;
        own->signal = job->child->signal;
    }
}

/* Runs a command of postfix(1) in the chosen ones. Those where it fails have failed. So many
 * signals that have arrived before do not count. */
static void run_step(struct restart *restart, const char *word, const struct limits *limits,
                     int signals_known)
{
    const char *arguments[] = {restart->program, "--", word, NULL};
    struct jobs jobs;

    restart->spec.argv = (char *const *)(void *)arguments;
    restart->spec.signals_known = signals_known;
    restart->report.selection = &restart->chosen;
    restart->report.jobs = &jobs;
    jobs_plan(&jobs, &restart->chosen, &restart->spec);
    jobs_run(&jobs, limits, observe, restart);
    for (size_t i = 0; i < jobs.count; i++)
        if (jobs.items[i].status == JOB_FAILED)
            fail(restart->chosen_parts[i], alloc_format("%s: %s", word, jobs.items[i].reason));
    jobs_free(&jobs);
    restart->report.selection = restart->selection;
}

/* Stops what is running. Where that fails, or it is not known, there may be nothing to stop, and
 * "start" shows it. */
static void stop(struct restart *restart)
{
    for (size_t i = restart->first; i < restart->end; i++) {
        struct part *part = &restart->parts[i];

        if (part->state != PART_UNTOUCHED)
            continue;
        part->child.started = clock_now();
        if (part->running == MASTER_STOPPED)
            part->state = PART_STOPPED;
    }
    choose(restart, PART_UNTOUCHED);
    if (restart->chosen.member_count > 0)
        run_step(restart, "stop", restart->command->limits, 0);
    for (size_t i = 0; i < restart->chosen.member_count; i++)
        restart->chosen_parts[i]->state = PART_STOPPED;
}

/* Starts what was stopped, even if the time of the run is over, or a signal has arrived. */
static void start(struct restart *restart)
{
    struct limits limits = *restart->command->limits;
    int64_t least = clock_after(clock_now(), START_SECONDS);

    if (limits.end < least)
        limits.end = least;
    choose(restart, PART_STOPPED);
    if (restart->chosen.member_count > 0)
        run_step(restart, "start", &limits, signals_count());
}

/* Asks the chosen ones whether they respond. */
static void ask(struct restart *restart, const struct command *command, int seconds)
{
    struct kicks kicks = {.is_probe = true,
                          .whole_limit = seconds,
                          .settings = command->settings,
                          .locks = restart->report.locks};

    master_locks_forget(kicks.locks);
    kicks_plan(&kicks, &restart->chosen);
    (void)command_send(command, &kicks);
    for (size_t i = 0; i < kicks.count; i++) {
        struct part *part = restart->chosen_parts[i];

        free(part->reason);
        part->reason = NULL;
        if (kick_succeeded(&kicks.items[i]))
            part->state = PART_DONE;
        else
            part->reason = alloc_format("no response: %s", kicks.items[i].reason);
    }
    kicks_free(&kicks);
}

/* Waits until what was started responds as with -s. */
static void wait_for_response(struct restart *restart, struct command command)
{
    int64_t now = clock_now(), end = clock_after(now, command.settings->status_limit);
    struct limits limits = *command.limits;

    if (limits.end < end)
        limits.end = end;
    command.limits = &limits;
    choose(restart, PART_STOPPED);
    bool is_pending = restart->chosen.member_count > 0;
    while (is_pending) {
        ask(restart, &command, (clock_poll_timeout(now, end) + 999) / 1000);
        choose(restart, PART_STOPPED);
        if (restart->chosen.member_count > 0)
            (void)nanosleep(&(struct timespec){.tv_nsec = ASKING_PAUSE}, NULL);
        now = clock_now();
        is_pending = restart->chosen.member_count > 0 && now < end && !limits_reached(&limits);
    }
    for (size_t i = 0; i < restart->chosen.member_count; i++)
        restart->chosen_parts[i]->state = PART_FAILED;
}

/* Sets first and end to the next ones, as many as are restarted at once. Returns false if there are
 * no more. */
static bool find_next(struct restart *restart)
{
    int count = 0;

    restart->first = restart->end;
    while (restart->end < restart->selection->member_count && count < restart->spec.parallel)
        if (restart->parts[restart->end++].state == PART_UNTOUCHED)
            count++;
    return count > 0;
}

static bool have_state(const struct restart *restart, enum part_state state)
{
    for (size_t i = 0; i < restart->selection->member_count; i++)
        if (restart->parts[i].state == state)
            return true;
    return false;
}

/* Restarts one after the other, until one has failed or the run has to end. */
static void restart_all(struct restart *restart)
{
    while (!have_state(restart, PART_FAILED) && !limits_reached(restart->command->limits) &&
           find_next(restart)) {
        stop(restart);
        start(restart);
        wait_for_response(restart, *restart->command);
        for (size_t i = restart->first; i < restart->end; i++)
            if (restart->parts[i].state > PART_UNTOUCHED)
                restart->parts[i].child.finished = clock_now();
    }
}

/* Checks all of them, as many at once as are restarted. Returns whether all are well. */
static bool check_all(struct restart *restart)
{
    restart->end = restart->selection->member_count;
    choose(restart, PART_UNTOUCHED);
    run_step(restart, "check", restart->command->limits, 0);
    restart->end = 0;
    return !have_state(restart, PART_FAILED);
}

/* Whether an instance that was running has been stopped, and no more. */
static bool is_down(const struct restart *restart, const struct part *part)
{
    if (part->child.started == 0 || part->running == MASTER_STOPPED)
        return false;
    master_locks_forget(restart->report.locks);
    return master_state(restart->report.locks,
                        instance_value(part->member->instance, PARAMETER_QUEUE_DIRECTORY)) ==
           MASTER_STOPPED;
}

/* What was done in an instance, and was not. */
static void report_part(const struct restart *restart, const struct part *part, bool was_begun)
{
    const struct instance *instance = part->member->instance;
    const char *done = part->running == MASTER_STOPPED ? "started" : "restarted";

    switch (part->state) {
    case PART_SKIPPED:
        if (part->member->is_named || restart->command->verbose > 0)
            row_diag(restart->selection, instance, "warning", "%s: not restarted", part->reason);
        break;
    case PART_UNTOUCHED:
        if (was_begun)
            row_diag(restart->selection, instance, "warning", "not touched");
        break;
    case PART_DONE:
        if (restart->command->verbose > 0 || have_state(restart, PART_FAILED) ||
            have_state(restart, PART_UNTOUCHED))
            row_diag(restart->selection, instance, NULL, "%s and responding", done);
        break;
    default:
        row_diag(restart->selection, instance, "warning", "%s%s", part->reason,
                 is_down(restart, part) ? "; it is not running now" : "");
        break;
    }
}

/* A row of JSON. */
static void report_row(struct restart *restart, struct part *part)
{
    static const enum job_status statuses[] = {
        [PART_SKIPPED] = JOB_DISABLED, [PART_UNTOUCHED] = JOB_UNTOUCHED,
        [PART_STOPPED] = JOB_FAILED,   [PART_DONE] = JOB_OK,
        [PART_FAILED] = JOB_FAILED,
    };
    const char *arguments[] = {restart->program, "--", "restart", NULL};
    struct job job = {.member = part->member,
                      .argv = (char *const *)(void *)arguments,
                      .child = &part->child,
                      .status = statuses[part->state],
                      .reason = part->reason};

    if (part->member->state == SELECTION_DUPLICATE)
        job.status = JOB_DUPLICATE;
    if (restart->command->options->dry_run && part->state == PART_UNTOUCHED)
        job.status = JOB_PLANNED;
    report_job_event(&restart->report, PROCESS_FINISHED, &job);
}

/* The dry run in text. */
static void report_plan(struct restart *restart)
{
    UT_string out;

    utstring_init(&out);
    for (size_t i = 0; i < restart->selection->member_count; i++) {
        const struct part *part = &restart->parts[i];
        const char *directory = part->member->instance->config_directory;

        if (part->state == PART_UNTOUCHED && part->running != MASTER_STOPPED)
            row_append_line(&out, "%s: run %s -- stop", directory, restart->program);
        if (part->state == PART_UNTOUCHED)
            row_append_line(&out, "%s: run %s -- start", directory, restart->program);
        else
            row_append_line(&out, "%s: %s: %s", directory,
                            part->state == PART_SKIPPED ? "skip" : "fail", part->reason);
    }
    restart->report.failed = !output_flush(&out);
    utstring_done(&out);
}

static void report(struct restart *restart, bool was_begun)
{
    const struct options *options = restart->command->options;

    if (options->dry_run && !options->json)
        report_plan(restart);
    for (size_t i = 0; i < restart->selection->member_count; i++) {
        if (options->json)
            report_row(restart, &restart->parts[i]);
        if (!options->quiet && !options->dry_run)
            report_part(restart, &restart->parts[i], was_begun);
    }
    if (!options->quiet && !options->dry_run && !was_begun)
        diag_line("warning", "nothing was stopped");
}

static void free_parts(struct restart *restart)
{
    for (size_t i = 0; i < restart->selection->member_count; i++) {
        free(restart->parts[i].reason);
        process_free(&restart->parts[i].child);
    }
    free(restart->parts);
    free(restart->chosen_parts);
    free(restart->chosen.members);
}

int command_restart(const struct command *command, struct selection *selection, const char *program)
{
    size_t count = selection->member_count;
    struct restart restart = {
        .command = command,
        .selection = selection,
        .program = program,
        .spec = {.program = program, .streams = PROCESS_CAPTURE_AS_TERMINAL},
        .parts = alloc_zeroed(count, sizeof(struct part)),
        .chosen = *selection,
        .chosen_parts = alloc_zeroed(count, sizeof(struct part *)),
    };

    restart.chosen.members = alloc_zeroed(count, sizeof(struct selection_member));
    command_start_jobs(command, selection, true, &restart.spec, &restart.report);
    for (size_t i = 0; i < count; i++) {
        struct process *child = &restart.parts[i].child;

        child->exit_status = -1;
        child->output.fd = child->errors.fd = child->output.file = child->errors.file = -1;
        utstring_init(&child->output.text);
        utstring_init(&child->errors.text);
    }
    bool was_begun = plan(&restart) && !command->options->dry_run && check_all(&restart);
    if (was_begun)
        restart_all(&restart);
    bool is_well = command_report_selection(command, selection);
    report(&restart, was_begun);
    is_well = is_well && !have_state(&restart, PART_FAILED) &&
              (command->options->dry_run || !have_state(&restart, PART_UNTOUCHED)) &&
              !restart.report.failed;
    free_parts(&restart);
    report_jobs_end(&restart.report);
    return is_well ? 0 : 1;
}
