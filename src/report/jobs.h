/* SPDX-License-Identifier: MIT */
/*
 * report/jobs: the results of -p and -x, and their dry run.
 */
#ifndef REPORT_JOBS_H
#define REPORT_JOBS_H

#include "postfix/jobs.h"

/* Writes the output of the command, stream by stream, under its instance's name if there are
 * several. The name goes to standard error, and only if the command wrote to standard error, or our
 * standard output is a terminal or the same file as standard error: what goes to standard output is
 * what the commands wrote, byte for byte.
 * Nothing is written there if *failed, which is set after a failed write, which is reported. */
void report_job_output(const struct selection *selection, const struct job *job, bool *failed);

/* Writes the name alone, before a command that writes to our terminal itself. */
void report_job_heading(const struct job *job);

/* Reports that a signal has stopped a command. */
void report_job_stopped(const struct selection *selection, const struct job *job);

/* Shows on a terminal which jobs are waited for; end is the end of the run, a clock_now() value or
 * CLOCK_NEVER. */
void report_jobs_progress(const struct jobs *jobs, int64_t end, int64_t now);

/* Appends one job to out as a JSON object. The instance's running has to be set. */
void report_job_json(const struct job *job, UT_string *out);

/* Appends the dry run of -p or -x to out, one line for each instance. */
void report_jobs_plan(const struct jobs *jobs, UT_string *out);

/* Reports failures with their reasons, and duplicates; if verbose, successes too. The exit status
 * of a single instance's command is left out: the command has reported its own errors. */
void report_jobs(const struct selection *selection, const struct jobs *jobs, int verbose);

#endif
