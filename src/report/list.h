/* SPDX-License-Identifier: MIT */
/*
 * report/list: the listing of -l.
 */
#ifndef REPORT_LIST_H
#define REPORT_LIST_H

#include "postfix/selection.h"

/* Appends the selected instances to out as "postmulti -l" lists them. */
void report_list_text(const struct selection *selection, UT_string *out);

/* Appends one JSON object per line to out for each selected instance. Their running has to be set:
 * see selection_find_running(). */
void report_list_json(const struct selection *selection, UT_string *out);

#endif
