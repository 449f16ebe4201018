/* SPDX-License-Identifier: MIT */
/*
 * report/row: the columns that the listings of all commands share, in text and JSON. Internal to
 * the report.
 */
#ifndef REPORT_ROW_H
#define REPORT_ROW_H

#include "postfix/instance.h"
#include <jansson.h>

/* Returns the value for a column: "-" when it is empty or unknown. */
const char *report_column(const struct instance *instance, enum parameter parameter);

/* Returns "y", "n", or "-" when it is unknown. */
const char *report_enabled(const struct instance *instance);

/* Appends the text to out as a line that is safe to print, and frees it. */
void report_row_line(UT_string *out, char *line);

/* Returns a new row with the members that every row has; the instance's running has to be set.
 * report_row_finish() frees it. */
json_t *report_row_new(const struct instance *instance);

/* Adds a member. Takes ownership of value. */
void report_row_add(json_t *row, const char *name, json_t *value);

/* Adds a member that is a string. Bytes that are not UTF-8 become U+FFFD, one for each. */
void report_row_add_text(json_t *row, const char *name, const char *text);
void report_row_add_bytes(json_t *row, const char *name, const char *text, size_t length);

/* Returns the same as a value. */
json_t *report_row_string(const char *text, size_t length);

/* Appends the row to out as a line, and frees it. */
void report_row_finish(json_t *row, UT_string *out);

#endif
