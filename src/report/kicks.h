/* SPDX-License-Identifier: MIT */
/*
 * report/kicks: the results of kicks, their dry run, and the states that those of -s show.
 */
#ifndef REPORT_KICKS_H
#define REPORT_KICKS_H

#include "postfix/status.h"

/* Set by the caller. */
struct kicks_report {
    const struct selection *selection;
    const struct kicks *kicks;
    const struct status *statuses; /* with -s: one for each kick; otherwise NULL */
    bool json;
    bool dry_run;
    bool quiet;
    int verbose; /* how often -v */
};

/*
 * Reports on standard output, with json, an object per line for each kick or status; their
 * instances' running has to be set then: see selection_find_running(). Otherwise the states as a
 * table, or the dry run, a line for each kick. Reports on standard error every failure and every
 * duplicate; if verbose, every success too; if quiet or in a dry run, only the error of a single
 * instance. Returns false if a kick or status has not succeeded, or standard output could not be
 * written, which was reported.
 */
bool report_kicks(const struct kicks_report *report);

/* Shows on a terminal which kicks are waited for; the progress of kicks_run(), with a struct kicks
 * as the context. */
void report_kicks_progress(void *context, int64_t now);

/* Each enum kick_status as in JSON: "kicked", "unconfirmed" and so on. */
extern const char *const report_kick_statuses[];

#endif
