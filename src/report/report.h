/*
 * report: what the program says of its results. Text for people goes to standard error in
 * Postfix's form, listings, dry runs and JSON to standard output.
 */
#ifndef REPORT_H
#define REPORT_H

#include "postfix/jobs.h"
#include "postfix/kick.h"
#include "postfix/selection.h"

/* Why there is no selection: one fatal line, and the warning that belongs to it. */
void report_no_selection(const struct selection *selection);

/* What reading the member_count instances warned of, and an -i that matched nothing. with_trust:
 * also whose configuration others than root can write. */
void report_selection(const struct selection *selection, bool with_trust);

/* Why one instance cannot be served: fatal on a single-instance host, else a warning with its
 * name. */
void report_instance_error(const struct selection *selection, const struct instance *instance);

/* Failures, and duplicates; with verbose also what was kicked. Postfix's own lines when the
 * selection is single. */
void report_kicks(const struct selection *selection, const struct kicks *kicks, int verbose);

/* The dry run, one line for each kick, to out. */
void report_plan(const struct kicks *kicks, UT_string *out);

/* The instances as postmulti -l lists them, to out. */
void report_list(const struct selection *selection, UT_string *out);

/* One JSON object per line, to out. */
void report_list_json(const struct selection *selection, struct master_locks *locks,
                      UT_string *out);
void report_kicks_json(const struct kicks *kicks, struct master_locks *locks, UT_string *out);

/* What a command of -p or -x wrote, as it wrote it, to out; under its instance's name where there
 * are several instances. */
void report_output(const struct selection *selection, const struct job *job, UT_string *out);

/* One task as a JSON object, to out. */
void report_job_json(const struct job *job, struct master_locks *locks, UT_string *out);

/* The dry run of -p and -x, one line for each instance, to out. */
void report_jobs_plan(const struct jobs *jobs, UT_string *out);

/* The summary of -p and -x: failures and why, duplicates; with verbose also what went well. A
 * single instance's exit status is nothing to tell: that command had its say. */
void report_jobs(const struct selection *selection, const struct jobs *jobs, int verbose);

/* Writes out to standard output. Returns true, or false when that fails, which it has told. */
bool report_flush(const UT_string *out);

#endif
