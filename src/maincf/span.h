/* SPDX-License-Identifier: MIT */
/*
 * span: a part of a text, not terminated and not owned, and what the syntax of main.cf values takes
 * from its start.
 */
#ifndef SPAN_H
#define SPAN_H

#include <stdbool.h>

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

#endif
