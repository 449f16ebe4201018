/*
 * report/jobs: what became of the commands of -p and -x, and what a dry run found.
 */
#ifndef REPORT_JOBS_H
#define REPORT_JOBS_H

#include "postfix/jobs.h"

/* What a command of -p or -x wrote, as it wrote it, to out; under its instance's name where there
 * are several instances. */
void report_output(const struct selection *selection, const struct job *job, UT_string *out);

/* One task as a JSON object, to out. The instance has to know whether it is running. */
void report_job_json(const struct job *job, UT_string *out);

/* The dry run of -p and -x, one line for each instance, to out. */
void report_jobs_plan(const struct jobs *jobs, UT_string *out);

/* The summary of -p and -x: failures and why, duplicates; with verbose also what went well. A
 * single instance's exit status is nothing to tell: that command had its say. */
void report_jobs(const struct selection *selection, const struct jobs *jobs, int verbose);

#endif
