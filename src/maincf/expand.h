/* SPDX-License-Identifier: MIT */
/*
 * expand: recursive expansion of $name in main.cf values, with Postfix's conditionals and
 * comparisons (postconf(5), "The general format of the main.cf file"). Pure: names are looked up
 * through a callback.
 */
#ifndef EXPAND_H
#define EXPAND_H

#include "base/alloc.h"
#include <stdbool.h>
#include <stddef.h>

/* Limits; exceeding one is an error. Depth counts references within references, in conditionals and
 * comparison operands too (Postfix allows 100 further links). A step is a byte that is looked at or
 * produced; a reference costs 128. So many take some 10 ms. */
#define EXPAND_DEPTH 100
#define EXPAND_STEPS ((size_t)16 * 1024 * 1024)

/*
 * Returns the unexpanded value of a name (length bytes), or NULL if unset, which counts as empty.
 * The string has to stay valid until expand_value() returns.
 */
typedef const char *expand_lookup(void *context, const char *name, size_t length);

/* How values are expanded, one after the other. */
struct expand {
    expand_lookup *lookup;
    void *context;     /* for lookup */
    size_t steps;      /* left of EXPAND_STEPS; at 0 nothing more is expanded */
    bool lacks_levels; /* >=level and the like are errors, as in Postfix before 3.6 */
    char *error;       /* the caller's */
};

/*
 * Appends the expansion of value to *out. Returns true; or false with error, which was NULL, a new
 * string in the words of Postfix's warning ("truncated macro reference: \"${a\""), cut like a
 * message of text.h; *out is then incomplete.
 */
bool expand_value(struct expand *expand, const char *value, UT_string *out);

#endif
