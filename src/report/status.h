/* SPDX-License-Identifier: MIT */
/*
 * report/status: whether each instance is in order.
 */
#ifndef REPORT_STATUS_H
#define REPORT_STATUS_H

#include "postfix/status.h"

/* What is reported: a status for each of count instances, in the order of the selection. */
struct status_report {
    const struct selection *selection;
    const struct status *statuses;
    size_t count;
};

/* Appends one line for each instance to out: in aligned columns name, group, state in words, time
 * of the answer, configuration directory, with_titles below a line of titles; or one JSON object.
 */
void report_status_output(const struct status_report *report, bool json, bool with_titles,
                          UT_string *out);

/* Writes to standard error why an instance that ought to be in order is not; if verbose, also
 * which ones are responding, and why one that is not enabled is not. */
void report_status(const struct status_report *report, int verbose);

#endif
