/* SPDX-License-Identifier: MIT */
/*
 * report/status: whether each instance is alive, from the empty request that its queue manager has
 * received: one kick for each selected instance, in the same order. The instances have to know
 * whether they are running: see selection_find_running().
 */
#ifndef REPORT_STATUS_H
#define REPORT_STATUS_H

#include "postfix/kick.h"

/* True unless the instance is one that ought to answer, and has not. One that is not enabled need
 * not, except when it is the only one that was asked for. */
bool report_status_is_well(const struct selection *selection, const struct kick *kick);

/* Appends to out one line for each instance, in aligned columns: name, group, state in words, time
 * of the answer, configuration directory. with_header: under a line of titles. */
void report_status_text(const struct selection *selection, const struct kicks *kicks,
                        bool with_header, UT_string *out);

/* Appends to out one JSON object per line for each instance. */
void report_status_json(const struct selection *selection, const struct kicks *kicks,
                        UT_string *out);

/* Writes to standard error why an instance that ought to answer has not; with verbose also what
 * answered, and why an instance that is not enabled has not. */
void report_status(const struct selection *selection, const struct kicks *kicks, int verbose);

#endif
