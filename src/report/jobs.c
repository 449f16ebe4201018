/* SPDX-License-Identifier: MIT */
/* Reports the results of -p and -x. */
#include "report/jobs.h"
#include "base/diag.h"
#include "base/text.h"
#include "report/list.h"
#include "report/progress.h"
#include "report/row.h"
#include <ctype.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Whether text that follows would not start on a new line. */
static bool ends_within_line(const UT_string *text)
{
    return utstring_len(text) > 0 && utstring_body(text)[utstring_len(text) - 1] != '\n';
}

void report_job_heading(const struct job *job)
{
    const char *name = job->member->instance->config_directory;
    UT_string heading;

    utstring_init(&heading);
    utstring_printf(&heading, "==> ");
    text_printable(&heading, name, strlen(name));
    utstring_printf(&heading, " <==\n");
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

void report_job_output(const struct selection *selection, const struct job *job, bool *failed)
{
    bool is_labelled = !selection->is_single, shown = have_one_reader();

    if (job->child == NULL)
        return;
    const UT_string *output = &job->child->output.text, *errors = &job->child->errors.text;
    if (is_labelled && (utstring_len(errors) > 0 || (shown && utstring_len(output) > 0)))
        report_job_heading(job);
    *failed = *failed || !output_flush(output);
    diag_write(utstring_body(errors), utstring_len(errors));
    const UT_string *last = utstring_len(errors) > 0 ? errors : output;
    if (is_labelled && (last == errors || shown) && ends_within_line(last))
        diag_write("\n", 1);
}

static json_t *command_array(char *const *argv)
{
    json_t *array = json_array();

    for (size_t i = 0; argv[i] != NULL; i++)
        if (json_array_append_new(array, report_row_string(argv[i], strlen(argv[i]))) < 0)
            alloc_fail();
    return array;
}

void report_job_json(const struct job *job, UT_string *out)
{
    const struct process *child = job->child;
    static const struct capture nothing;
    const struct capture *output = child != NULL ? &child->output : &nothing;
    const struct capture *errors = child != NULL ? &child->errors : &nothing;
    bool has_exited = child != NULL && child->outcome != PROCESS_PENDING;
    json_t *row = report_row_new(job->member->instance);

    report_row_add(row, "command", command_array(job->argv));
    report_row_add(row, "exit_status", json_integer(has_exited ? child->exit_status : -1));
    report_row_add(row, "signal", json_integer(child != NULL ? child->signal : 0));
    report_row_add_bytes(row, "stdout", utstring_body(&output->text), utstring_len(&output->text));
    report_row_add_bytes(row, "stderr", utstring_body(&errors->text), utstring_len(&errors->text));
    report_row_add(row, "stdout_truncated", json_boolean(output->truncated));
    report_row_add(row, "stderr_truncated", json_boolean(errors->truncated));
    report_row_add(row, "seconds", json_real(job_seconds(job)));
    report_row_add_text(row, "status", job_status_name(job->status));
    report_row_add_text(row, "reason", job->reason == NULL ? "" : job->reason);
    report_row_finish(row, out);
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

static void append_command(UT_string *out, const struct job *job)
{
    if (job->child != NULL)
        append_word(out, job->child->program);
    for (size_t i = job->child != NULL ? 1 : 0; job->argv[i] != NULL; i++)
        append_word(out, job->argv[i]);
}

void report_jobs_progress(const struct jobs *jobs, int64_t end, int64_t now)
{
    struct progress progress;

    progress_start(&progress);
    for (size_t i = 0; i < jobs->count; i++) {
        const struct job *job = &jobs->items[i];
        const struct process *child = job->child;

        if (child == NULL)
            continue;
        if (child->finished != 0)
            progress_add_done(&progress);
        else
            progress_add_waiting(
                &progress, child->started != 0 ? job->member->instance->config_directory : NULL,
                end);
    }
    progress_show(&progress, now);
}

void report_jobs_plan(const struct jobs *jobs, UT_string *out)
{
    for (size_t i = 0; i < jobs->count; i++) {
        size_t at = jobs->is_reversed ? jobs->count - 1 - i : i;
        const struct job *job = &jobs->items[at];
        const char *name = job->member->instance->config_directory;
        UT_string line;

        utstring_init(&line);
        if (job->status == JOB_PLANNED) {
            utstring_printf(&line, "%s: run", name);
            append_command(&line, job);
        } else {
            utstring_printf(&line, "%s: %s: %s", name, job->status == JOB_FAILED ? "fail" : "skip",
                            job->reason);
        }
        report_row_line(out, utstring_body(&line));
    }
}

static void report_verbosely(const struct selection *selection, const struct job *job)
{
    UT_string command;

    if (job->child == NULL) {
        report_line(selection, job->member->instance, NULL, "not run: %s", job->reason);
        return;
    }
    utstring_init(&command);
    append_command(&command, job);
    report_line(selection, job->member->instance, NULL, "%s after %.3fs:%s",
                job->reason == NULL ? "exit status 0" : job->reason, job_seconds(job),
                utstring_body(&command));
    utstring_done(&command);
}

static void report_failure(const struct selection *selection, const struct job *job, int verbose)
{
    bool has_exited =
        job->child != NULL && job->child->outcome == PROCESS_ENDED && job->child->signal == 0;

    if (job->member->state == SELECTION_FAILED)
        report_instance_error(selection, job->member->instance);
    else if (!selection->is_single || !has_exited)
        report_line(selection, job->member->instance, "warning", "%s", job->reason);
    else if (verbose > 0)
        report_verbosely(selection, job);
}

static void report_truncated(const struct selection *selection, const struct job *job,
                             const struct capture *capture, const char *stream)
{
    if (capture->truncated)
        report_line(selection, job->member->instance, "warning",
                    "standard %s after the first %zu bytes was dropped: run it without -P and -j",
                    stream, CAPTURE_MAXIMUM);
}

void report_job_stopped(const struct selection *selection, const struct job *job)
{
    int number = job->child->stopped_by;

    report_line(selection, job->member->instance, "warning",
                "stopped by signal %d (%s): waiting until it continues", number, strsignal(number));
}

void report_jobs(const struct selection *selection, const struct jobs *jobs, int verbose)
{
    for (size_t i = 0; i < jobs->count; i++) {
        const struct job *job = &jobs->items[i];

        if (job->status == JOB_FAILED)
            report_failure(selection, job, verbose);
        else if (job->status == JOB_DUPLICATE)
            report_line(selection, job->member->instance, "warning", "%s: not run again",
                        job->reason);
        else if (verbose > 0)
            report_verbosely(selection, job);
        if (job->child != NULL) {
            report_truncated(selection, job, &job->child->output, "output");
            report_truncated(selection, job, &job->child->errors, "error");
        }
    }
}
