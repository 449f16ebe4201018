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

/* Writes one line about a kick to standard error: its endpoint and text, after the instance's name
 * if there are several. level: see diag_line(). */
void report_kick_line(const struct selection *selection, const struct kick *kick, const char *level,
                      const char *text);

/* Shows on a terminal which kicks are waited for; the progress of kicks_run(), with a struct kicks
 * as the context. */
void report_kicks_progress(void *context, int64_t now);

/* Appends the dry run to out, one line for each kick. */
void report_kicks_plan(const struct kicks *kicks, UT_string *out);

/* Appends one JSON object per line to out for each kick. Their instances' running has to be
 * set: see selection_find_running(). */
void report_kicks_json(const struct kicks *kicks, UT_string *out);

#endif
