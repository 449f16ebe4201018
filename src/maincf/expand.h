/* SPDX-License-Identifier: MIT */
/*
 * expand: $name substitution in main.cf values, recursively, with Postfix's conditionals and
 * comparisons (postconf(5), "The general format of the main.cf file"). Pure: names are looked up
 * through a callback.
 */
#ifndef EXPAND_H
#define EXPAND_H

#include "base/alloc.h"
#include "base/budget.h"
#include <stdbool.h>

/* Limits, each an error when passed, whatever the budget allows. Depth counts references within
 * references, through conditionals and comparison operands too (Postfix: 100 further links pass).
 */
#define EXPAND_DEPTH 100
#define EXPAND_REFERENCES 1000000
#define EXPAND_LENGTH ((size_t)16 * 1024 * 1024)

/*
 * Gives the unexpanded value of a name (length bytes), or NULL when it is not set, which counts
 * as empty. The string must stay valid until expand_value() returns.
 */
typedef const char *expand_lookup(void *context, const char *name, size_t length);

/*
 * Appends the expansion of value to *out. Returns true, or false with *error, which was NULL, a new
 * string in the wording of Postfix's warning ("truncated macro reference: \"${a\""), cut like a
 * text_message(), which the caller frees; *out then holds an undefined part. An error is also that
 * the budget does not suffice.
 */
bool expand_value(const char *value, expand_lookup *lookup, void *context, struct budget *budget,
                  UT_string *out, char **error);

#endif
