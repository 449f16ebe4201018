/* SPDX-License-Identifier: MIT */
/*
 * report/jobs: a run of -p or -x, while it lasts and afterwards, and its dry run.
 */
#ifndef REPORT_JOBS_H
#define REPORT_JOBS_H

#include "postfix/jobs.h"

/* Set by the caller, except failed. */
struct jobs_report {
    const struct selection *selection;
    const struct jobs *jobs;
    struct master_locks *locks; /* for "running" in JSON */
    bool changes_running;       /* the commands start and stop mail systems */
    bool json;
    bool quiet;
    int verbose;         /* how often -v */
    bool shows_headings; /* on a terminal: the instance's name before a command that writes to it */
    UT_array *tags;      /* report_jobs_tags(): each line begins with one; NULL: none does */
    bool shows_progress; /* on a terminal: a line while commands run whose output is captured */
    int64_t end;         /* of the run: a clock_now() value or CLOCK_NEVER */
    bool failed;         /* to write to standard output, which was reported */
};

/*
 * For jobs_run(), with a struct jobs_report as the context. Reports a job as soon as it has
 * finished: a JSON object per line, or the output of its command, stream by stream.
 *
 * In text, what goes to standard output is what the commands wrote, byte for byte; if there are
 * several instances, their names go to standard error, and only where the command wrote to standard
 * error, or our standard output is a terminal or the same file as standard error. With tags, every
 * line on both begins with one and a tab, and ends with a newline. After a failed write nothing
 * more is written to standard output.
 */
void report_job_event(void *context, enum process_event event, const struct job *job);

/* Returns what lines of the instances begin with: for each of the host's, in order, its name, or
 * its directory if another has the name; "-" is the default one. They are safe to print. An array
 * of strings to be freed by utarray_free(). */
UT_array *report_jobs_tags(const struct host *host);

/* For a spec's line, with a struct jobs_report as the context, which has tags: writes the line to
 * our stream. */
void report_job_line(void *context, const struct job *job, bool is_error, const char *text,
                     size_t length);

/* Reports failures with their reasons, and duplicates, unless quiet; if verbose, successes too. The
 * exit status of a single instance's command is left out: the command has reported its own errors.
 * The error of a single instance is reported even if quiet. */
void report_jobs(const struct jobs_report *report);

/* Reports the dry run, one line for each instance. */
void report_jobs_plan(struct jobs_report *report);

#endif
