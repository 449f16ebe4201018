/* SPDX-License-Identifier: MIT */
/*
 * report/jobs: what became of the commands of -p and -x, and what a dry run found.
 */
#ifndef REPORT_JOBS_H
#define REPORT_JOBS_H

#include "postfix/jobs.h"

/* What the command wrote, each stream to ours, under its instance's name where there are several.
 * The name goes to standard error, and only where standard error has something of this instance or
 * standard output is a terminal: standard output is the commands' own, byte for byte. It is left
 * alone when *failed, which is set once it could not be written, and that was reported. */
void report_job_output(const struct selection *selection, const struct job *job, bool *failed);

/* The name by itself, before a command that writes to our terminal itself. */
void report_job_heading(const struct job *job);

/* That a command was stopped, and what continues or ends it. */
void report_job_stopped(const struct selection *selection, const struct job *job);

/* Shows on a terminal which jobs are waited for; end is that of the run, a clock_now() value or
 * CLOCK_NEVER. */
void report_jobs_progress(const struct jobs *jobs, int64_t end, int64_t now);

/* One job as a JSON object, to out. The instance has to know whether it is running. */
void report_job_json(const struct job *job, UT_string *out);

/* The dry run of -p and -x, one line for each instance, to out. */
void report_jobs_plan(const struct jobs *jobs, UT_string *out);

/* The summary: failures and why, duplicates; with verbose also what went well. The exit status of
 * a single instance's command is not mentioned: what it meant the command has said itself. */
void report_jobs(const struct selection *selection, const struct jobs *jobs, int verbose);

#endif
