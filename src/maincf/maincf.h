/* SPDX-License-Identifier: MIT */
/*
 * maincf: the syntax of main.cf: logical lines, comments, "name = value". Knows files' text only,
 * nothing of instances or of what a parameter means. Values are as written: see expand.h.
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

struct maincf;

/* An empty set of parameters, to be freed by maincf_free(). path names the file in messages. */
struct maincf *maincf_new(const char *path);

/* Frees everything; NULL is allowed. */
void maincf_free(struct maincf *maincf);

/* Sets a parameter as if it stood before the first line of the file (Postfix sets
 * config_directory like that, and warns when the file sets another). Both strings are copied. */
void maincf_preset(struct maincf *maincf, const char *name, const char *value);

/*
 * Reads the text of a main.cf (length bytes, no NUL byte within, a NUL after them). The text is
 * changed in place and must stay in place, unchanged by the caller, until maincf_free(); the
 * caller frees it after that.
 * Returns true, or false with the first error in *error, a new string in Postfix's wording, e.g.
 * "/x/main.cf, line 2: missing '=' after attribute name: \"foo bar\"", cut like a text_message().
 * What stood before the error remains set. An error is also that the budget does not suffice.
 */
bool maincf_parse(struct maincf *maincf, char *text, size_t length, struct budget *budget,
                  char **error);

/* Sets a parameter after the file (command-line override), without a warning. Copies both. */
void maincf_override(struct maincf *maincf, const char *name, const char *value);

/* The value of a parameter as written, length of the name in bytes, or NULL if it is not set. The
 * string belongs to maincf. */
const char *maincf_value(const struct maincf *maincf, const char *name, size_t length);

/* The warnings of maincf_parse(), in order, as Postfix words them, without "warning: ". An array
 * of strings that belongs to maincf; may be NULL when there are none. */
const UT_array *maincf_warnings(const struct maincf *maincf);

#endif
