/* SPDX-License-Identifier: MIT */
/*
 * maincf: the syntax of main.cf: logical lines, comments, "name = value". Knows nothing of
 * instances or of what a parameter means. Values are as written: see expand.h.
 *
 * Rules: postconf(5), and measured behaviour of Postfix 3.7:
 * - a line that starts with white space continues the one before, also across comments and empty
 *   lines; a line whose first non-blank is # is a comment, also inside a continuation; a first
 *   logical line that starts with white space is ignored with a warning;
 * - no quoting; # within a value is data; white space around name and value is dropped;
 * - the last of several settings wins, with a warning when the values differ;
 * - "name" without = and "= value" are errors.
 */
#ifndef MAINCF_H
#define MAINCF_H

#include "base/alloc.h"
#include "base/budget.h"
#include <stdbool.h>

/*
 * reader: takes a main.cf apart into logical lines (defined in maincf.h).
 */

/* The text of a file, and how far it is read. The caller sets at, end (a NUL) and budget. */
struct reader {
    char *at;
    char *end;
    size_t line; /* the number of the last line read */
    struct budget *budget;
};

/* Without comments and empty lines, with continuation lines joined, terminated by a NUL. */
struct reader_line {
    char *text; /* within the reader's text, which is changed for it */
    size_t length;
    size_t number; /* of its first physical line */
};

/* Takes the next logical line; costs a unit of the budget for each byte, and some for each line.
 * Returns false at the end, or when the budget is exceeded: see budget->state. */
bool reader_next(struct reader *reader, struct reader_line *line);

struct maincf;

/* An empty set of parameters, to be freed by maincf_free(). path names the file in messages. */
struct maincf *maincf_new(const char *path);

/* Frees everything; NULL is allowed. */
void maincf_free(struct maincf *maincf);

/* Sets a parameter as if by a line before the file's first: Postfix sets config_directory this way,
 * and warns when the file sets another. Copies both strings. */
void maincf_set(struct maincf *maincf, const char *name, const char *value);

/*
 * Reads the text of a main.cf (length bytes, no NUL byte within, a NUL after them). The text is
 * changed in place, and belongs to maincf until maincf_free(); then the caller frees it.
 * Returns true, or false with the first error in *error, a new string in Postfix's wording, e.g.
 * "/x/main.cf, line 2: missing '=' after attribute name: \"foo bar\"", cut by text_cut().
 * What stands before the error remains set. Exceeding the budget is an error, too.
 */
bool maincf_parse(struct maincf *maincf, char *text, size_t length, struct budget *budget,
                  char **error);

/* Returns the value of a parameter as written, or NULL if unset; the name has length bytes. The
 * string belongs to maincf. */
const char *maincf_value(const struct maincf *maincf, const char *name, size_t length);

/* Returns the warnings of maincf_parse(), in order, as Postfix words them, without "warning: ": an
 * array of strings, to be freed by utarray_free(), or NULL if there are none. maincf forgets them.
 */
UT_array *maincf_take_warnings(struct maincf *maincf);

#endif
