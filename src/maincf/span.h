/* SPDX-License-Identifier: MIT */
/*
 * span: a part of somebody else's text, which is not terminated, and what the syntax of main.cf
 * values takes from its start.
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

/* Each takes the longest text of such characters from the start of *rest, and returns it: blanks
 * (space, tab, CR, LF: fewer than elsewhere in main.cf, measured), letters and digits, and what a
 * name consists of. */
struct span span_take_blanks(struct span *rest);
struct span span_take_alphanumerics(struct span *rest);
struct span span_take_name(struct span *rest);

/* Where the brace or parenthesis closes that the span starts with, or NULL. Only its own kind
 * counts. */
const char *span_find_close(struct span span);

#endif
