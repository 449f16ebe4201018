/* SPDX-License-Identifier: MIT */
/*
 * report/list: the selection: why there is none, its warnings, and the listing of -l.
 */
#ifndef REPORT_LIST_H
#define REPORT_LIST_H

#include "postfix/selection.h"

/* Reports why there is no selection: one fatal line, after the warning that belongs to it. Or else,
 * unless quiet, the warnings from reading the selected instances, and those of the selection. */
void report_selection(const struct selection *selection, bool quiet);

/* Reports each conflict of the host's, and what it means: host_find_conflicts(). */
void report_conflicts(const struct selection *selection);

/* Appends the selected instances to out: as "postmulti -l" lists them, or one JSON object per line
 * for each; their running has to be set then: see selection_find_running(). */
void report_list(const struct selection *selection, bool json, UT_string *out);

#endif
