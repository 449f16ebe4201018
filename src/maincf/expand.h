/* SPDX-License-Identifier: MIT */
/*
 * expand: recursive expansion of $name in main.cf values, with Postfix's conditionals and
 * comparisons (postconf(5), "The general format of the main.cf file"). Pure: names are looked up
 * through a callback.
 */
#ifndef EXPAND_H
#define EXPAND_H

#include "base/alloc.h"
#include "base/budget.h"
#include <stdbool.h>
#include <stddef.h>

/*
 * span: a part of a text, not terminated and not owned, and what the syntax of main.cf values takes
 * from its start.
 */

struct span {
    const char *at;
    const char *end;
};

bool span_is_empty(struct span span);

/* Its length in bytes. */
int span_length(struct span span);

/* Whether it starts with that character. */
bool span_starts_with(struct span span, char character);

/* Each takes the longest run of certain characters from the start of *rest, and returns it: blanks
 * (space, tab, CR, LF: fewer than elsewhere in main.cf; measured); letters and digits; and also _,
 * for a name. */
struct span span_take_blanks(struct span *rest);
struct span span_take_alphanumerics(struct span *rest);
struct span span_take_name(struct span *rest);

/* Returns where the brace or parenthesis closes that the span starts with, or NULL. The other kind
 * does not count. */
const char *span_find_close(struct span span);

/*
 * comparison: the comparisons of main.cf values, ${{left} operator {right} ? ...} (postconf(5),
 * "The general format of the main.cf file"), with operands that are expanded already.
 */

enum comparison_operator {
    COMPARISON_EQUAL,
    COMPARISON_NOT_EQUAL,
    COMPARISON_LESS,
    COMPARISON_LESS_EQUAL,
    COMPARISON_GREATER_EQUAL,
    COMPARISON_GREATER,
};

/* Finds the operator that text (length bytes, none of them NUL) starts with. Returns its length, or
 * 0 when Postfix knows no such operator. */
size_t comparison_find_operator(const char *text, size_t length, enum comparison_operator *found);

/*
 * Compares left with right: as numbers if both consist of digits only, otherwise as strings, byte
 * by byte. Returns false with *error, a new string that the caller frees, if a number does not fit.
 */
bool comparison_holds(const char *left, enum comparison_operator operation, const char *right,
                      bool *result, char **error);

/*
 * Compares left with right as compatibility levels: major, major.minor or major.minor.patch
 * (postconf(5), compatibility_level). Returns false with *error like comparison_holds().
 */
bool comparison_levels_hold(const char *left, enum comparison_operator operation, const char *right,
                            bool *result, char **error);

/* Limits; exceeding one is an error, whatever the budget allows. Depth counts references within
 * references, in conditionals and comparison operands too (Postfix allows 100 further links). */
#define EXPAND_DEPTH 100
#define EXPAND_REFERENCES 1000000
#define EXPAND_LENGTH ((size_t)16 * 1024 * 1024)

/*
 * Returns the unexpanded value of a name (length bytes), or NULL if unset, which counts as empty.
 * The string has to stay valid until expand_value() returns.
 */
typedef const char *expand_lookup(void *context, const char *name, size_t length);

/*
 * Appends the expansion of value to *out. Returns true; or false with *error, which was NULL, a new
 * string in the words of Postfix's warning ("truncated macro reference: \"${a\""), cut like a
 * message of text.h, which the caller frees; *out is then incomplete. Exceeding the budget is an
 * error, too.
 */
bool expand_value(const char *value, expand_lookup *lookup, void *context, struct budget *budget,
                  UT_string *out, char **error);

#endif
