/* SPDX-License-Identifier: MIT */
/* Reports jobs: each when it has finished, and all in the end. */
#include "report/jobs.h"
#include "base/diag.h"
#include "base/text.h"
#include "report/row.h"
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static void report_heading(const struct job *job)
{
    UT_string heading;

    utstring_init(&heading);
    row_append_line(&heading, "==> %s <==", job->member->instance->config_directory);
    diag_write(utstring_body(&heading), utstring_len(&heading));
    utstring_done(&heading);
}

/* Whether both streams have one reader, who cannot see which instance wrote what: a terminal, a log
 * file, cron's mail. */
static bool have_one_reader(void)
{
    struct stat output, errors;

    return isatty(STDOUT_FILENO) == 1 ||
           (fstat(STDOUT_FILENO, &output) == 0 && fstat(STDERR_FILENO, &errors) == 0 &&
            output.st_dev == errors.st_dev && output.st_ino == errors.st_ino);
}

static void write_out(struct jobs_report *report, const UT_string *text)
{
    report->failed = report->failed || !output_flush(text);
}

static int compare_names(const void *left, const void *right)
{
    const struct instance *const *one = left, *const *other = right;

    return strcmp(row_value(*one, PARAMETER_MULTI_INSTANCE_NAME),
                  row_value(*other, PARAMETER_MULTI_INSTANCE_NAME));
}

/* Returns what lines of the instances begin with: for each of the host's, in order, its name, or
 * its directory if another has the name; "-" is the default one. They are safe to print. */
static UT_array *make_tags(const struct host *host)
{
    const struct instance **sorted = alloc_zeroed(host->count, sizeof(struct instance *));
    bool *shared = alloc_zeroed(host->count, sizeof(*shared));
    UT_array *tags;

    utarray_new(tags, &strings_icd);
    for (size_t i = 0; i < host->count; i++)
        sorted[i] = &host->instances[i];
    qsort(sorted, host->count, sizeof(*sorted), compare_names);
    for (size_t i = 1; i < host->count; i++)
        if (compare_names(&sorted[i - 1], &sorted[i]) == 0)
            shared[sorted[i - 1] - host->instances] = shared[sorted[i] - host->instances] = true;
    for (size_t i = 0; i < host->count; i++) {
        const struct instance *instance = &host->instances[i];

        row_add_cell(tags, "%s",
                     instance->is_default ? "-"
                     : shared[i]          ? instance->config_directory
                                          : row_value(instance, PARAMETER_MULTI_INSTANCE_NAME));
    }
    free(sorted);
    free(shared);
    return tags;
}

/* Copies text to our stream, with tags one before each line; last is the byte before the text.
 * Returns its last byte. */
static char copy_text(struct jobs_report *report, const struct job *job, bool is_error, char last,
                      const char *text, size_t length)
{
    size_t index = (size_t)(job->member->instance - report->selection->host.instances);
    const char *tag = report->tags == NULL ? NULL : strings_item(report->tags, index);
    UT_string out;

    utstring_init(&out);
    while (length > 0) {
        const char *newline = tag == NULL ? NULL : memchr(text, '\n', length);
        size_t part = newline == NULL ? length : (size_t)(newline + 1 - text);

        if (tag != NULL && last == '\n') {
            text_append(&out, tag, strlen(tag));
            text_append(&out, "\t", 1);
        }
        text_append(&out, text, part);
        last = text[part - 1];
        text += part;
        length -= part;
    }
    if (is_error)
        diag_write(utstring_body(&out), utstring_len(&out));
    else
        write_out(report, &out);
    utstring_done(&out);
    return last;
}

/* How much of a stream is copied at once. */
#define COPY_BYTES 65536

/* Copies a stream to ours. Returns its last byte; a newline if there is none. */
static char copy_stream(struct jobs_report *report, const struct job *job, bool is_error)
{
    const struct capture *capture = is_error ? &job->child.errors : &job->child.output;
    char buffer[COPY_BYTES], last = '\n';
    size_t count;

    for (size_t at = 0; (count = capture_read(capture, at, buffer, sizeof(buffer))) > 0;
         at += count)
        last = copy_text(report, job, is_error, last, buffer, count);
    if (report->tags != NULL && last != '\n')
        (void)copy_text(report, job, is_error, last, "\n", 1);
    return last;
}

/* For the spec's line: writes it to our stream. */
static void report_line(void *context, const struct job *job, bool is_error, const char *text,
                        size_t length)
{
    UT_string line;

    utstring_init(&line);
    text_append(&line, text, length);
    text_append(&line, "\n", 1);
    (void)copy_text(context, job, is_error, '\n', utstring_body(&line), utstring_len(&line));
    utstring_done(&line);
}

static void report_output(struct jobs_report *report, const struct job *job)
{
    bool has_output = job->child.output.length > 0, has_errors = job->child.errors.length > 0;
    bool is_labelled = !report->selection->is_single && report->tags == NULL &&
                       (has_errors || (has_output && have_one_reader()));

    if (is_labelled)
        report_heading(job);
    char last = copy_stream(report, job, false);
    if (has_errors || report->tags != NULL)
        last = copy_stream(report, job, true);
    if (is_labelled && last != '\n')
        diag_write("\n", 1);
}

static json_t *command_array(char *const *argv)
{
    json_t *array = json_array();

    for (size_t i = 0; argv[i] != NULL; i++)
        (void)json_array_append_new(array, row_string(argv[i], strlen(argv[i])));
    return array;
}

static json_t *captured(const struct capture *capture)
{
    char *text = alloc_bytes(capture->length + 1);
    size_t length = 0, count;

    while ((count = capture_read(capture, length, text + length, capture->length - length)) > 0)
        length += count;
    json_t *string = row_string(text, length);
    free(text);
    return string;
}

static double seconds_of(const struct job *job)
{
    return (double)(job->child.finished - job->child.started) / (double)CLOCK_SECOND;
}

static void report_json(struct jobs_report *report, const struct job *job)
{
    static const char *const statuses[] = {
        [JOB_OK] = "ok",
        [JOB_FAILED] = "failed",
        [JOB_DISABLED] = "disabled",
        [JOB_DUPLICATE] = "duplicate",
        [JOB_PLANNED] = "planned",
        [JOB_UNTOUCHED] = "untouched",
    };
    const struct process *child = &job->child;
    bool has_exited = child->outcome != PROCESS_PENDING;
    UT_string out;

    if (report->changes_running)
        master_locks_free(&report->locks);
    host_find_running(&report->selection->host, job->member->instance, &report->locks);
    json_t *row = row_new(job->member->instance);
    row_add(row, "command", command_array(job->argv));
    row_add(row, "exit_status", json_integer(has_exited ? child->exit_status : -1));
    row_add(row, "signal", json_integer(child->signal));
    row_add(row, "stdout", captured(&child->output));
    row_add(row, "stderr", captured(&child->errors));
    row_add(row, "seconds", json_real(seconds_of(job)));
    row_add_text(row, "status", statuses[job->status]);
    row_add_text(row, "reason", job->reason);
    utstring_init(&out);
    row_finish(row, &out);
    write_out(report, &out);
    utstring_done(&out);
}

/* Those that a restart has not touched were only checked. */
static void report_progress(const struct jobs_report *report)
{
    struct progress progress = {0};

    for (size_t i = 0; i < report->jobs->count; i++) {
        const struct job *job = &report->jobs->items[i];
        bool is_touched = job->status != JOB_UNTOUCHED;

        if (job->child.program == NULL && job->status != JOB_PLANNED)
            continue;
        progress_add(&progress, is_touched && job->child.finished != 0,
                     is_touched && job->child.started != 0 ? job->member->instance->config_directory
                                                           : NULL,
                     report->limits->end);
    }
    progress_show(&progress, clock_now());
}

static void observe(void *context, enum process_event event, struct job *job)
{
    struct jobs_report *report = context;

    switch (event) {
    case PROCESS_STARTS:
        /* what postfix(1) writes names the instance */
        if (job->spec->path != NULL && !report->is_captured && !report->selection->is_single &&
            isatty(STDOUT_FILENO) == 1)
            report_heading(job);
        break;
    case PROCESS_STOPPED:
        if (!report->quiet)
            row_diag(report->selection, job->member->instance, "warning",
                     "stopped by signal %d (%s): waiting until it continues", job->child.stopped_by,
                     strsignal(job->child.stopped_by));
        break;
    case PROCESS_FINISHED:
        if (report->json && report->has_steps)
            break; /* a row has the output of all steps */
        if (report->json)
            report_json(report, job);
        else
            report_output(report, job);
        process_free(&job->child);
        break;
    case PROCESS_WAITING:
        if (!report->quiet && report->is_captured && isatty(STDERR_FILENO) == 1)
            report_progress(report);
        break;
    }
}

/* The most that a row of JSON has of one stream, in bytes. */
#define JSON_OUTPUT_MAXIMUM ((size_t)16 * 1024 * 1024)

void report_jobs_start(struct jobs_report *report, struct jobs_spec *spec)
{
    report->locks.limits = report->limits;
    report->is_captured = report->json || spec->parallel > 1 || report->tag;
    spec->observe = observe;
    spec->context = report;
    if (report->tag)
        report->tags = make_tags(&report->selection->host);
    if (report->tag && spec->parallel == 1)
        spec->line = report_line; /* as soon as it is there */
    if (!report->is_captured)
        spec->streams = PROCESS_INHERIT;
    if (report->json)
        spec->output_maximum = JSON_OUTPUT_MAXIMUM;
}

void report_jobs_end(struct jobs_report *report)
{
    master_locks_free(&report->locks);
    if (report->tags != NULL)
        utarray_free(report->tags);
}

#define PLAIN "%+,-./:=@_0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"

/* Quoted as for a shell, so that it shows where words begin and end. */
static void append_word(UT_string *out, const char *word)
{
    if (word[0] != '\0' && word[strspn(word, PLAIN)] == '\0') {
        utstring_printf(out, " %s", word);
        return;
    }
    utstring_printf(out, " '");
    for (const char *at = word; *at != '\0'; at++)
        utstring_printf(out, "%s%c", *at == '\'' ? "'\\'" : "", *at);
    utstring_printf(out, "'");
}

/* Returns the words of the command, each after a blank: a new string. */
static char *describe_command(const struct job *job)
{
    UT_string command;

    utstring_init(&command);
    append_word(&command, job->spec->program);
    for (size_t i = 1; job->argv[i] != NULL; i++)
        append_word(&command, job->argv[i]);
    return utstring_body(&command);
}

static void report_job(const struct jobs_report *report, const struct job *job)
{
    const struct selection *selection = report->selection;
    const struct instance *instance = job->member->instance;
    bool has_exited = job->child.outcome == PROCESS_ENDED && job->child.signal == 0;

    if (job->status == JOB_FAILED && job->member->state == SELECTION_FAILED) {
        row_diag_error(selection, instance);
    } else if (job->status == JOB_FAILED && !(selection->is_single && has_exited)) {
        row_diag(selection, instance, "warning", "%s", job->reason);
    } else if (job->status == JOB_DUPLICATE) {
        row_diag(selection, instance, "warning", "%s: not run again", job->reason);
    } else if (report->verbose > 0 && job->child.program == NULL) {
        row_diag(selection, instance, NULL, "not run: %s", job->reason);
    } else if (report->verbose > 0) {
        char *command = describe_command(job);

        row_diag(selection, instance, NULL, "%s after %.3fs:%s",
                 job->reason == NULL ? "exit status 0" : job->reason, seconds_of(job), command);
        free(command);
    }
}

static void append_plan(const struct jobs_report *report, const struct job *job, UT_string *out)
{
    const char *name = job->member->instance->config_directory, *program = job->spec->program;

    if (job->status != JOB_PLANNED) {
        row_append_line(out, "%s: %s: %s", name, job->status == JOB_FAILED ? "fail" : "skip",
                        job->reason);
    } else if (report->has_steps) {
        if (job->member->instance->running != MASTER_STOPPED)
            row_append_line(out, "%s: run %s -- stop", name, program);
        row_append_line(out, "%s: run %s -- start", name, program);
    } else {
        char *command = describe_command(job);
        row_append_line(out, "%s: run%s", name, command);
        free(command);
    }
}

bool report_jobs(struct jobs_report *report)
{
    const struct jobs *jobs = report->jobs;
    const struct instance *failed = selection_lone_failure(report->selection);
    bool is_reversed = jobs->spec->order == JOB_DEFAULT_LAST;
    bool is_well = true;
    UT_string plan;

    utstring_init(&plan);
    for (size_t i = 0; i < jobs->count; i++) {
        const struct job *job = &jobs->items[i];

        is_well = is_well && job->status != JOB_FAILED && job->status != JOB_UNTOUCHED;
        if (report->json && (report->dry_run || report->has_steps))
            report_json(report, job);
        else if (report->dry_run)
            append_plan(report, &jobs->items[is_reversed ? jobs->count - 1 - i : i], &plan);
        if (!report->dry_run && !report->quiet && !report->has_steps)
            report_job(report, job);
    }
    if (report->dry_run)
        write_out(report, &plan);
    utstring_done(&plan);
    if (!report->dry_run && report->quiet && failed != NULL)
        row_diag_error(report->selection, failed);
    return is_well && !report->failed;
}
