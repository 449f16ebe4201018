/* SPDX-License-Identifier: MIT */
/*
 * maincf: the syntax of main.cf: logical lines, comments, "name = value". Knows nothing of
 * instances or of the meaning of parameters. Values are as written: see expand.h.
 *
 * Rules: postconf(5), and measured behaviour of Postfix 3.7:
 * - a line that starts with white space continues the one before, also across comments and empty
 *   lines; a line whose first non-blank is # is a comment, also inside a continuation; a first
 *   logical line that starts with white space is ignored with a warning;
 * - no quoting; # within a value is data; white space around name and value is dropped;
 * - the last of several settings applies, with a warning when the values differ;
 * - "name" without = and "= value" are errors.
 */
#ifndef MAINCF_H
#define MAINCF_H

#include "base/alloc.h"
#include <stdbool.h>

/* The largest main.cf that is read, in bytes. */
#define MAINCF_MAXIMUM ((size_t)2 * 1024 * 1024)

/* The parameters that a file sets. */
struct maincf;

/*
 * Reads the text of a main.cf (length bytes, no NUL byte within, a NUL after them), which is
 * changed in place. path names the file in messages. config_directory, unless NULL, is set as if by
 * a line before the first, as Postfix does, which warns when the file sets another. Text and
 * config_directory have to outlive the result.
 * Returns the parameters, to be freed by maincf_free(). The first error of the file goes to *error,
 * if that is NULL: a new string in Postfix's wording, such as "/x/main.cf, line 2: missing '='
 * after attribute name: \"foo bar\"", cut by text_cut(); more than 16,384 different parameters are
 * an error, too. Whatever else is well-formed is set, before and after the error. Warnings up to
 * there are in *warnings, as Postfix words them, without "warning: ": an array of strings, to be
 * freed by utarray_free(), or NULL if there are none.
 */
struct maincf *maincf_parse(const char *path, const char *config_directory, char *text,
                            size_t length, UT_array **warnings, char **error);

/* Returns the value of a parameter as written, or NULL if unset; the name has length bytes. The
 * string belongs to maincf. */
const char *maincf_value(const struct maincf *maincf, const char *name, size_t length);

/* Frees everything; NULL is allowed. */
void maincf_free(struct maincf *maincf);

#endif
