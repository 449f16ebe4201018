/* SPDX-License-Identifier: MIT */
/*
 * report/status: whether each instance is alive, by the empty request to its queue manager: one
 * kick for each selected instance, in the same order. The instances' running has to be set: see
 * selection_find_running().
 */
#ifndef REPORT_STATUS_H
#define REPORT_STATUS_H

#include "postfix/kick.h"

/* False if the instance ought to answer and has not. One that is not enabled need not, unless it is
 * the only one that was asked for. */
bool report_status_succeeded(const struct selection *selection, const struct kick *kick);

/* Appends to out one JSON object per line for each instance. Or else a table: name, group, state in
 * words, time of the answer, configuration directory; with_titles: below a line of titles. */
void report_status_output(const struct selection *selection, const struct kicks *kicks, bool json,
                          bool with_titles, UT_string *out);

/* Writes to standard error why an instance that ought to answer has not; if verbose, also what has
 * answered, and why an instance that is not enabled has not. */
void report_status(const struct selection *selection, const struct kicks *kicks, int verbose);

#endif
