/* SPDX-License-Identifier: MIT */
/*
 * report/kicks: what became of the kicks, and what a dry run found.
 */
#ifndef REPORT_KICKS_H
#define REPORT_KICKS_H

#include "postfix/kick.h"

/*
 * Writes to standard error every failure and every duplicate, and with verbose every success too.
 * as_postfix: in Postfix's own words where Postfix has some, followed by the reason where it says
 * more; otherwise the reason alone.
 */
void report_kicks(const struct selection *selection, const struct kicks *kicks, bool as_postfix,
                  int verbose);

/* Writes to standard error one line about a kick: its endpoint and text, after the instance's name
 * where there are several. level: see diag_line(). */
void report_kick_line(const struct selection *selection, const struct kick *kick, const char *level,
                      const char *text);

/* Shows on a terminal which kicks are waited for; the progress of kicks_run(), with a struct kicks
 * as the context. */
void report_kicks_progress(void *context, int64_t now);

/* Appends to out the dry run, one line for each kick. */
void report_kicks_plan(const struct kicks *kicks, UT_string *out);

/* Appends to out one JSON object per line for each kick; as report_list_json(). */
void report_kicks_json(const struct kicks *kicks, UT_string *out);

#endif
