/* SPDX-License-Identifier: MIT */
/*
 * report/list: the selection: why there is none, its warnings, and the listing of -l.
 */
#ifndef REPORT_LIST_H
#define REPORT_LIST_H

#include "postfix/selection.h"

/* Reports why there is no selection: one fatal line, after the warning that belongs to it. */
void report_no_selection(const struct selection *selection);

/* Reports the warnings of the selection; with_conflicts, what host_find_conflicts() has found, and
 * what that means; with_remarks, what Postfix warns of in the main.cf of each selected instance: at
 * most five remarks for each where there are several instances. */
void report_selection(const struct selection *selection, bool with_conflicts, bool with_remarks);

/* Appends the selected instances to out: as "postmulti -l" lists them, below a line of titles if
 * with_titles; or as JSON, one object per line, for which selection_find_running() must have set
 * their running. */
void report_list(const struct selection *selection, bool json, bool with_titles, UT_string *out);

#endif
