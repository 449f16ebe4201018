/* SPDX-License-Identifier: MIT */
/*
 * report/row: the columns that listings of all commands have in common, in text and JSON. Internal
 * to the report.
 */
#ifndef REPORT_ROW_H
#define REPORT_ROW_H

#include "postfix/instance.h"
#include <jansson.h>

/* The value for a column: "-" when it is empty or not known. */
const char *report_column(const struct instance *instance, enum parameter parameter);

/* "y", "n", or "-" when it is not known. */
const char *report_enabled(const struct instance *instance);

/* A new row with the members that every row has, from the instance alone; see
 * instance_find_running(). Ends with report_row_finish(). */
json_t *report_row_new(const struct instance *instance);

/* Adds a member; takes value over. */
void report_row_add(json_t *row, const char *name, json_t *value);

/* Adds a member that is a string. Bytes that are not UTF-8 become U+FFFD, one for each. */
void report_row_add_text(json_t *row, const char *name, const char *text);
void report_row_add_bytes(json_t *row, const char *name, const char *text, size_t length);

/* The same as a value by itself. */
json_t *report_row_string(const char *text, size_t length);

/* Appends the row to out as a line, and frees it. */
void report_row_finish(json_t *row, UT_string *out);

#endif
