/* SPDX-License-Identifier: MIT */
/*
 * report/kicks: the results of kicks, and their dry run.
 */
#ifndef REPORT_KICKS_H
#define REPORT_KICKS_H

#include "postfix/kick.h"

/*
 * Writes to standard error every failure and every duplicate; if verbose, every success too.
 * as_postfix: in Postfix's words where Postfix has some, followed by the reason if it says more;
 * otherwise only the reason.
 */
void report_kicks(const struct selection *selection, const struct kicks *kicks, bool as_postfix,
                  int verbose);

/* Shows on a terminal which kicks are waited for; the progress of kicks_run(), with a struct kicks
 * as the context. */
void report_kicks_progress(void *context, int64_t now);

/* Appends to out one JSON object per line for each kick; their instances' running has to be set
 * then: see selection_find_running(). Or else the dry run, one line for each kick. */
void report_kicks_output(const struct kicks *kicks, bool json, UT_string *out);

/* Returns the status as in JSON: "kicked", "unconfirmed" and so on. */
const char *report_kick_status(enum kick_status status);

#endif
