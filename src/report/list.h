/* SPDX-License-Identifier: MIT */
/*
 * report/list: the listing of -l.
 */
#ifndef REPORT_LIST_H
#define REPORT_LIST_H

#include "postfix/selection.h"

/* Appends to out the selected instances as "postmulti -l" lists them. */
void report_list_text(const struct selection *selection, UT_string *out);

/* Appends to out one JSON object per line for each selected instance, which has to know whether it
 * is running: see selection_find_running(). */
void report_list_json(const struct selection *selection, UT_string *out);

#endif
