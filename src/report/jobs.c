/* SPDX-License-Identifier: MIT */
/* Reports jobs: each when it has finished, and all in the end. */
#include "report/jobs.h"
#include "base/diag.h"
#include "base/text.h"
#include "report/row.h"
#include <ctype.h>
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

/* A name of an instance, and where it is in the host. */
struct named {
    const char *name;
    size_t index;
};

static int compare_names(const void *left, const void *right)
{
    return strcmp(((const struct named *)left)->name, ((const struct named *)right)->name);
}

/* Returns for each instance of the host whether another one has its name. */
static bool *find_shared(const struct host *host)
{
    struct named *names = alloc_zeroed(host->count, sizeof(*names));
    bool *shared = alloc_zeroed(host->count, sizeof(*shared));

    for (size_t i = 0; i < host->count; i++)
        names[i] = (struct named){row_value(&host->instances[i], PARAMETER_MULTI_INSTANCE_NAME), i};
    qsort(names, host->count, sizeof(*names), compare_names);
    for (size_t i = 1; i < host->count; i++)
        if (strcmp(names[i - 1].name, names[i].name) == 0)
            shared[names[i - 1].index] = shared[names[i].index] = true;
    free(names);
    return shared;
}

/* Returns what lines of the instances begin with: for each of the host's, in order, its name, or
 * its directory if another has the name; "-" is the default one. They are safe to print. */
static UT_array *make_tags(const struct host *host)
{
    bool *shared = find_shared(host);
    UT_array *tags;

    utarray_new(tags, &strings_icd);
    for (size_t i = 0; i < host->count; i++) {
        const struct instance *instance = &host->instances[i];
        const char *name = instance->is_default ? "-"
                           : shared[i]          ? instance->config_directory
                                       : row_value(instance, PARAMETER_MULTI_INSTANCE_NAME);
        row_add_cell(tags, "%s", name);
    }
    free(shared);
    return tags;
}

/* Returns the tag of the job's instance. */
static const char *find_tag(const struct jobs_report *report, const struct job *job)
{
    const struct host *host = &report->selection->host;

    return strings_item(report->tags, (size_t)(job->member->instance - host->instances));
}

/* A stream that is copied to ours. */
struct copy {
    struct jobs_report *report;
    const char *tag; /* before each line, or NULL */
    bool is_error;
    char last; /* the last byte written; at the start, a newline */
    UT_string text;
};

static void write_copy(struct copy *copy)
{
    if (copy->is_error)
        diag_write(utstring_body(&copy->text), utstring_len(&copy->text));
    else
        write_out(copy->report, &copy->text);
    utstring_clear(&copy->text);
}

static void append_tagged(struct copy *copy, const char *text, size_t length)
{
    while (length > 0) {
        const char *newline = memchr(text, '\n', length);
        size_t part = newline == NULL ? length : (size_t)(newline + 1 - text);

        if (copy->last == '\n') {
            text_append(&copy->text, copy->tag, strlen(copy->tag));
            text_append(&copy->text, "\t", 1);
        }
        text_append(&copy->text, text, part);
        copy->last = text[part - 1];
        text += part;
        length -= part;
    }
}

/* How much of a stream is copied at once. */
#define COPY_BYTES 65536

/* Copies a stream to ours. Returns its last byte; a newline if there is none. */
static char copy_stream(struct jobs_report *report, const struct job *job, bool is_error)
{
    const struct capture *capture = is_error ? &job->child->errors : &job->child->output;
    struct copy copy = {.report = report, .is_error = is_error, .last = '\n'};
    char buffer[COPY_BYTES];
    size_t count;

    copy.tag = report->tags == NULL ? NULL : find_tag(report, job);
    utstring_init(&copy.text);
    for (size_t at = 0; (count = capture_read(capture, at, buffer, sizeof(buffer))) > 0;
         at += count) {
        if (copy.tag != NULL) {
            append_tagged(&copy, buffer, count);
        } else {
            text_append(&copy.text, buffer, count);
            copy.last = buffer[count - 1];
        }
        write_copy(&copy);
    }
    if (copy.tag != NULL && copy.last != '\n') {
        text_append(&copy.text, "\n", 1);
        write_copy(&copy);
    }
    utstring_done(&copy.text);
    return copy.last;
}

/* For the spec's line: writes it to our stream. */
static void report_line(void *context, const struct job *job, bool is_error, const char *text,
                        size_t length)
{
    struct jobs_report *report = context;
    struct copy copy = {
        .report = report, .tag = find_tag(report, job), .is_error = is_error, .last = '\n'};

    utstring_init(&copy.text);
    append_tagged(&copy, text, length);
    if (length == 0)
        utstring_printf(&copy.text, "%s\t", copy.tag);
    text_append(&copy.text, "\n", 1);
    write_copy(&copy);
    utstring_done(&copy.text);
}

/* The most that a row of JSON has of one stream, in bytes. */
#define JSON_OUTPUT_MAXIMUM ((size_t)16 * 1024 * 1024)

void report_jobs_start(struct jobs_report *report, struct jobs_spec *spec)
{
    report->locks = master_locks_new(report->limits);
    report->is_captured = report->json || report->parallel > 1 || report->tag;
    if (report->tag)
        report->tags = make_tags(&report->selection->host);
    spec->parallel = report->parallel;
    if (!report->is_captured)
        spec->streams = PROCESS_INHERIT;
    if (report->json)
        spec->output_maximum = JSON_OUTPUT_MAXIMUM;
    if (report->tag && report->parallel == 1) {
        spec->line = report_line; /* as soon as it is there */
        spec->line_context = report;
    }
}

void report_jobs_end(struct jobs_report *report)
{
    master_locks_free(report->locks);
    if (report->tags != NULL)
        utarray_free(report->tags);
}

static void report_output(struct jobs_report *report, const struct job *job)
{
    bool is_labelled = !report->selection->is_single && report->tags == NULL;
    bool shown = have_one_reader();

    if (job->child == NULL)
        return;
    bool has_output = job->child->output.length > 0, has_errors = job->child->errors.length > 0;
    if (is_labelled && (has_errors || (shown && has_output)))
        report_heading(job);
    char last = copy_stream(report, job, false);
    if (has_errors || report->tags != NULL)
        last = copy_stream(report, job, true);
    if (is_labelled && (has_errors || shown) && last != '\n')
        diag_write("\n", 1);
}

static json_t *command_array(char *const *argv)
{
    json_t *array = json_array();

    for (size_t i = 0; argv[i] != NULL; i++)
        if (json_array_append_new(array, row_string(argv[i], strlen(argv[i]))) < 0)
            alloc_fail();
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
    if (job->child == NULL || job->child->started == 0)
        return 0;
    return (double)(job->child->finished - job->child->started) / (double)CLOCK_SECOND;
}

static const char *describe_status(enum job_status status)
{
    static const char *const names[] = {
        [JOB_OK] = "ok",
        [JOB_FAILED] = "failed",
        [JOB_DISABLED] = "disabled",
        [JOB_DUPLICATE] = "duplicate",
        [JOB_PLANNED] = "planned",
        [JOB_UNTOUCHED] = "untouched",
    };

    return names[status];
}

static void append_json(const struct job *job, UT_string *out)
{
    const struct process *child = job->child;
    static const struct capture nothing;
    const struct capture *output = child != NULL ? &child->output : &nothing;
    const struct capture *errors = child != NULL ? &child->errors : &nothing;
    bool has_exited = child != NULL && child->outcome != PROCESS_PENDING;
    json_t *row = row_new(job->member->instance);

    row_add(row, "command", command_array(job->argv));
    row_add(row, "exit_status", json_integer(has_exited ? child->exit_status : -1));
    row_add(row, "signal", json_integer(child != NULL ? child->signal : 0));
    row_add(row, "stdout", captured(output));
    row_add(row, "stderr", captured(errors));
    row_add(row, "seconds", json_real(seconds_of(job)));
    row_add_text(row, "status", describe_status(job->status));
    row_add_text(row, "reason", job->reason);
    row_finish(row, out);
}

static void report_json(struct jobs_report *report, const struct job *job)
{
    UT_string out;

    if (report->changes_running)
        master_locks_forget(report->locks);
    host_find_running(&report->selection->host, job->member->instance, report->locks);
    utstring_init(&out);
    append_json(job, &out);
    write_out(report, &out);
    utstring_done(&out);
}

static void report_stopped(const struct jobs_report *report, const struct job *job)
{
    int number = job->child->stopped_by;

    row_diag(report->selection, job->member->instance, "warning",
             "stopped by signal %d (%s): waiting until it continues", number, strsignal(number));
}

static void report_progress(const struct jobs_report *report)
{
    struct progress progress;

    progress_start(&progress);
    for (size_t i = 0; i < report->jobs->count; i++) {
        const struct job *job = &report->jobs->items[i];
        const struct process *child = job->child;

        if (child == NULL)
            continue;
        progress_add(&progress, child->finished != 0,
                     child->started != 0 ? job->member->instance->config_directory : NULL,
                     report->limits->end);
    }
    progress_show(&progress, clock_now());
}

void report_job_event(void *context, enum process_event event, const struct job *job)
{
    struct jobs_report *report = context;

    switch (event) {
    case PROCESS_STARTS:
        if (report->has_headings && !report->is_captured && !report->selection->is_single &&
            isatty(STDOUT_FILENO) == 1)
            report_heading(job);
        break;
    case PROCESS_STOPPED:
        if (!report->quiet)
            report_stopped(report, job);
        break;
    case PROCESS_FINISHED:
        if (report->json)
            report_json(report, job);
        else
            report_output(report, job);
        break;
    case PROCESS_WAITING:
        if (!report->quiet && report->is_captured && progress_is_wanted())
            report_progress(report);
        break;
    }
}

static bool is_plain(const char *word)
{
    for (const char *at = word; *at != '\0'; at++)
        if (!isalnum((unsigned char)*at) && strchr("%+,-./:=@_", *at) == NULL)
            return false;
    return word[0] != '\0';
}

/* Quoted as for a shell, so that it shows where words begin and end. */
static void append_word(UT_string *out, const char *word)
{
    if (is_plain(word)) {
        utstring_printf(out, " %s", word);
        return;
    }
    utstring_printf(out, " '");
    for (const char *at = word; *at != '\0'; at++) {
        if (*at == '\'')
            utstring_printf(out, "'\\''");
        else
            utstring_bincpy(out, at, 1);
    }
    utstring_printf(out, "'");
}

/* Returns the words of the command, each after a blank: a new string. */
static char *describe_command(const struct job *job)
{
    UT_string command;

    utstring_init(&command);
    append_word(&command, job->child->program);
    for (size_t i = 1; job->argv[i] != NULL; i++)
        append_word(&command, job->argv[i]);
    return utstring_body(&command);
}

static void report_verbosely(const struct jobs_report *report, const struct job *job)
{
    const struct instance *instance = job->member->instance;

    if (job->child == NULL) {
        row_diag(report->selection, instance, NULL, "not run: %s", job->reason);
        return;
    }
    char *command = describe_command(job);
    row_diag(report->selection, instance, NULL, "%s after %.3fs:%s",
             job->reason == NULL ? "exit status 0" : job->reason, seconds_of(job), command);
    free(command);
}

static void report_failure(const struct jobs_report *report, const struct job *job)
{
    const struct selection *selection = report->selection;
    bool has_exited =
        job->child != NULL && job->child->outcome == PROCESS_ENDED && job->child->signal == 0;

    if (job->member->state == SELECTION_FAILED)
        row_diag_error(selection, job->member->instance);
    else if (!selection->is_single || !has_exited)
        row_diag(selection, job->member->instance, "warning", "%s", job->reason);
    else if (report->verbose > 0)
        report_verbosely(report, job);
}

static void report_job(const struct jobs_report *report, const struct job *job)
{
    if (job->status == JOB_FAILED)
        report_failure(report, job);
    else if (job->status == JOB_DUPLICATE)
        row_diag(report->selection, job->member->instance, "warning", "%s: not run again",
                 job->reason);
    else if (report->verbose > 0)
        report_verbosely(report, job);
}

static void append_plan(const struct job *job, UT_string *out)
{
    const char *name = job->member->instance->config_directory;
    char *command = job->status == JOB_PLANNED ? describe_command(job) : NULL;

    if (command != NULL)
        row_append_line(out, "%s: run%s", name, command);
    else
        row_append_line(out, "%s: %s: %s", name, job->status == JOB_FAILED ? "fail" : "skip",
                        job->reason);
    free(command);
}

static void report_plan(struct jobs_report *report)
{
    const struct jobs *jobs = report->jobs;
    UT_string out;

    utstring_init(&out);
    for (size_t i = 0; i < jobs->count; i++) {
        if (report->json)
            report_json(report, &jobs->items[i]);
        else
            append_plan(&jobs->items[jobs->is_reversed ? jobs->count - 1 - i : i], &out);
    }
    write_out(report, &out);
    utstring_done(&out);
}

bool report_jobs(struct jobs_report *report)
{
    const struct instance *failed = report->selection->lone_failure;
    bool is_well = true;

    if (report->dry_run)
        report_plan(report);
    for (size_t i = 0; i < report->jobs->count; i++) {
        const struct job *job = &report->jobs->items[i];

        is_well = is_well && job->status != JOB_FAILED;
        if (!report->dry_run && !report->quiet)
            report_job(report, job);
    }
    if (!report->dry_run && report->quiet && failed != NULL)
        row_diag_error(report->selection, failed);
    return is_well && !report->failed;
}
