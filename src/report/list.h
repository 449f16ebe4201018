/* SPDX-License-Identifier: MIT */
/*
 * report/selection: warnings and errors of the selection and of its instances, and the listing of
 * -l.
 */
#ifndef REPORT_SELECTION_H
#define REPORT_SELECTION_H

#include "postfix/selection.h"

/* Reports why there is no selection: one fatal line, after the warning that belongs to it. */
void report_no_selection(const struct selection *selection);

/* Reports the warnings from reading the selected instances, and those of the selection. */
void report_selection(const struct selection *selection);

/* Writes one line about an instance to standard error, after its name if there are several. level:
 * see diag_line(). */
void report_line(const struct selection *selection, const struct instance *instance,
                 const char *level, const char *format, ...) __attribute__((format(printf, 4, 5)));

/* Reports why an instance cannot be served: fatal on a single-instance host, otherwise a warning
 * with its name. */
void report_instance_error(const struct selection *selection, const struct instance *instance);

/* Appends the selected instances to out as "postmulti -l" lists them. */
void report_list_text(const struct selection *selection, UT_string *out);

/* Appends one JSON object per line to out for each selected instance. Their running has to be set:
 * see selection_find_running(). */
void report_list_json(const struct selection *selection, UT_string *out);

#endif
