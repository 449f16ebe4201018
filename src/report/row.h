/* SPDX-License-Identifier: MIT */
/*
 * report/row: shared by the reports of all commands: lines about an instance on standard error,
 * on standard output its columns, tables and JSON objects, and on a terminal the line of progress.
 */
#ifndef ROW_H
#define ROW_H

#include "postfix/selection.h"
#include <jansson.h>

/* Writes one line about an instance to standard error, after its name if there are several. level:
 * see diag_line(). */
void row_diag(const struct selection *selection, const struct instance *instance, const char *level,
              const char *format, ...) __attribute__((format(printf, 4, 5)));

/* Writes why an instance cannot be served to standard error: fatal on a single-instance host,
 * otherwise a warning with its name. */
void row_diag_error(const struct selection *selection, const struct instance *instance);

/* Returns the value of a parameter as a column: "-" when it is empty or unknown. */
const char *row_value(const struct instance *instance, enum parameter parameter);

/* An enum instance_enabled as a column: "y", "n", or "-" when it is unknown. */
extern const char *const row_enabled[];

/* Appends one line to out, safe to print. */
void row_append_line(UT_string *out, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* A column of a table. */
struct row_column {
    const char *title;
    size_t width;   /* at least so many characters, for tables that are written in parts */
    bool is_number; /* aligned at the right */
};

/* Appends a cell, made safe to print, to an array of strings. */
void row_add_cell(UT_array *cells, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Appends a cell with a number of bytes: 512, 18.2M. */
void row_add_bytes(UT_array *cells, int64_t bytes);

/* Appends a cell with the two largest units of a number of seconds: 2h10m. Less than 0 is 0s: the
 * clock was set back. */
void row_add_age(UT_array *cells, int64_t seconds);

/* Appends a table to out: cells has those of all rows, one row after the other, each with count
 * columns. Lines have no blanks at their end. with_titles: below a line of the columns' titles.
 * Columns are as wide as their widest cell in characters of UTF-8, with two blanks between. */
void row_append_table(UT_string *out, const struct row_column *columns, size_t count,
                      const UT_array *cells, bool with_titles);

/* Returns a new JSON object with the members that every row of an instance has, whose running has
 * to be set; without an instance (NULL), an empty one. row_finish() frees it. */
json_t *row_new(const struct instance *instance);

/* Adds a member. Takes ownership of value. */
void row_add(json_t *row, const char *name, json_t *value);

/* Adds a member that is a string; NULL is an empty one. */
void row_add_text(json_t *row, const char *name, const char *text);

/* Returns length bytes of text as a new value. Those that are not UTF-8 become U+FFFD, one for
 * each. */
json_t *row_string(const char *text, size_t length);

/* Appends the row to out as a line, and frees it. */
void row_finish(json_t *row, UT_string *out);

/*
 * progress: a line on a terminal while a run waits: how many of how many are done, how long it may
 * still take, and which instances it waits for.
 */

/* The content of one line, zero at first. progress_show() empties it again. */
struct progress {
    size_t count; /* of kicks or jobs */
    size_t done;
    int64_t end;       /* the latest end of those not done: a clock_now() value, or CLOCK_NEVER */
    UT_string waiting; /* the names of those not done, as many as a line can show */
};

/* Counts one that is done, or that is waited for until end (CLOCK_NEVER: any time); name is its
 * instance's configuration directory, or NULL if it is not started. */
void progress_add(struct progress *progress, bool is_done, const char *name, int64_t end);

/* Writes the line over the previous one, unless all are done: see diag_progress(). */
void progress_show(struct progress *progress, int64_t now);

#endif
