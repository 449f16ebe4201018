/* SPDX-License-Identifier: MIT */
/*
 * report/jobs: a run of -p or -x, while it lasts and afterwards, and its dry run.
 */
#ifndef REPORT_JOBS_H
#define REPORT_JOBS_H

#include "postfix/jobs.h"

struct jobs_report {
    /* set by the caller */
    const struct selection *selection;
    const struct jobs *jobs; /* once they are planned */
    const struct limits *limits;
    bool changes_running; /* the commands start and stop mail systems */
    bool has_steps;       /* a restart: each job is several commands */
    bool dry_run;
    bool json;
    bool quiet;
    bool tag;    /* each line begins with the instance's name */
    int verbose; /* how often -v */

    /* by report_jobs_start() */
    struct master_locks locks; /* for "running" in JSON */
    UT_array *tags;            /* for each instance of the host, in order; or NULL */
    bool is_captured;          /* the output of the commands */
    bool failed;               /* to write to standard output, which was reported */
};

/*
 * Starts the report of one or more runs of the spec, which has to be set, and makes the spec report
 * them: a job as soon as it has finished, a JSON object per line, or the output of its command,
 * stream by stream, or line by line; output is captured where that needs it. report_jobs_end()
 * empties the report.
 *
 * In text, standard output receives the output of the commands, byte for byte; if there are
 * several instances, their names go to standard error, and only where the command wrote to standard
 * error, or our standard output is a terminal or the same file as standard error. With tags, every
 * line on both begins with one and a tab, and ends with a newline. After a failed write nothing
 * more is written to standard output.
 */
void report_jobs_start(struct jobs_report *report, struct jobs_spec *spec);

/* Reports failures with their reasons, and duplicates, unless quiet; if verbose, successes too. The
 * exit status of a single instance's command is left out: the command has reported its own errors.
 * The error of a single instance is reported even if quiet. Of a dry run, one line or JSON object
 * for each instance. Of a restart, only that, and the JSON objects. Returns false if a job has
 * failed or was not touched, or standard output could not be written. */
bool report_jobs(struct jobs_report *report);

/* Empties it. */
void report_jobs_end(struct jobs_report *report);

#endif
