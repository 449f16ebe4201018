/* SPDX-License-Identifier: MIT */
/* Takes parts from the start of a text. */
#include "maincf/span.h"
#include <stddef.h>

bool span_is_empty(struct span span)
{
    return span.at == span.end;
}

int span_length(struct span span)
{
    return (int)(span.end - span.at);
}

bool span_starts_with(struct span span, char character)
{
    return span.at < span.end && *span.at == character;
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/* isalnum(3) depends on the locale */
static bool is_alphanumeric(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

static bool is_of_name(char c)
{
    return is_alphanumeric(c) || c == '_';
}

static struct span take(struct span *rest, bool (*belongs)(char))
{
    struct span taken = {rest->at, rest->at};

    while (taken.end < rest->end && belongs(*taken.end))
        taken.end++;
    rest->at = taken.end;
    return taken;
}

struct span span_take_blanks(struct span *rest)
{
    return take(rest, is_blank);
}

struct span span_take_alphanumerics(struct span *rest)
{
    return take(rest, is_alphanumeric);
}

struct span span_take_name(struct span *rest)
{
    return take(rest, is_of_name);
}

const char *span_find_close(struct span span)
{
    char open = *span.at, close = open == '{' ? '}' : ')';
    size_t level = 0;

    for (const char *at = span.at; at < span.end; at++) {
        if (*at == open)
            level++;
        else if (*at == close && --level == 0)
            return at;
    }
    return NULL;
}
