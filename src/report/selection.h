/* SPDX-License-Identifier: MIT */
/*
 * report/selection: what is said of the selection itself and of instances that cannot be served.
 */
#ifndef REPORT_SELECTION_H
#define REPORT_SELECTION_H

#include "postfix/selection.h"

/* Why there is no selection: one fatal line, after the warning that belongs to it. */
void report_no_selection(const struct selection *selection);

/* The warnings from reading the selected instances, and those of the selection itself. */
void report_selection(const struct selection *selection);

/* Why one instance cannot be served: fatal on a single-instance host, else a warning with its
 * name. */
void report_instance_error(const struct selection *selection, const struct instance *instance);

#endif
